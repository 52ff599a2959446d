import { type KeyboardEvent, type ReactNode, useRef } from 'react'
import type { CallJson } from '../../../../src/server/api.ts'
import { useLiveState } from '../../api/live-context.tsx'
import { useAbout } from '../../api/use-lists.ts'
import { compact, exactUsd, usd } from '../../format/numbers.ts'
import { useSetView, useView } from '../../state/use-view.ts'
import { Card } from '../../ui/card.tsx'
import { CodeBlock } from '../../ui/code-block.tsx'
import { Icon } from '../../ui/icon.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { pathOf, ViewLink } from '../../ui/view-link.tsx'
import { type Snippet, snippets } from './snippets.ts'

/** How the first call gets here, and the moment when it does. */
export const StartPage = (): ReactNode => {
  const { search } = useView()
  const { data: about } = useAbout()
  // A server that forwards nothing cannot be a base URL.
  const usable = snippets.filter((each) => each.needsGateway !== true || about?.has.gateway !== false)
  const snippet = usable.find(({ id }) => id === search.client) ?? usable[0]
  const { origin } = window.location
  return (
    <div className="mx-auto flex w-full max-w-4xl flex-col gap-4">
      <PageHead title="Get started" note="The meter runs. Point an agent at it and every call shows up here, priced." />
      <Card title="1. The address">
        <CodeBlock text={origin} />
      </Card>
      <Card title="2. Your client">
        <SnippetTabs snippets={usable} current={snippet} />
        {snippet !== undefined && (
          <div id="snippet" role="tabpanel" aria-label={snippet.title} className="mt-3 flex flex-col gap-2">
            <p className="text-[0.8125rem] text-ink-2">{snippet.about}</p>
            <CodeBlock text={snippet.code(origin)} />
          </div>
        )}
      </Card>
      <FirstCall hasEntries={(about?.ledger.entries ?? 0) > 0} />
    </div>
  )
}

const SnippetTabs = ({ snippets, current }: { snippets: readonly Snippet[]; current: Snippet | undefined }): ReactNode => {
  const setView = useSetView()
  const list = useRef<HTMLDivElement>(null)
  const choose = (snippet: Snippet): void => setView({ client: snippet.id }, { replace: true })
  // One stop of the Tab key; arrows go from one to the next, and round.
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (step === undefined || current === undefined) return
    const place = (snippets.indexOf(current) + step + snippets.length) % snippets.length
    const next = snippets[place]
    if (next === undefined) return
    choose(next)
    list.current?.querySelectorAll<HTMLElement>('[role=tab]')[place]?.focus()
  }
  return (
    <div ref={list} role="tablist" aria-label="Client" className="flex flex-wrap gap-1" onKeyDown={move}>
      {snippets.map((snippet) => (
        <button
          key={snippet.id}
          type="button"
          role="tab"
          aria-selected={snippet === current}
          aria-controls="snippet"
          tabIndex={snippet === current ? 0 : -1}
          onClick={() => choose(snippet)}
          className="h-8 rounded-md px-3 text-[0.8125rem] text-ink-2 hover:bg-sunken aria-selected:bg-sunken aria-selected:font-medium aria-selected:text-ink aria-selected:shadow-[inset_0_-2px_0_var(--accent)]"
        >
          {snippet.title}
        </button>
      ))}
    </div>
  )
}

const FirstCall = ({ hasEntries }: { hasEntries: boolean }): ReactNode => {
  const { recent } = useLiveState()
  const call = recent[0]
  return (
    <Card title="3. The first call">
      <div aria-live="polite">
        {call !== undefined ? (
          <Arrived call={call} />
        ) : hasEntries ? (
          <p>
            Calls are in the ledger already.{' '}
            <ViewLink to="/" className="link font-medium">
              To the overview
            </ViewLink>
          </p>
        ) : (
          <p className="flex items-center gap-3 text-ink-2">
            <span aria-hidden="true" className="size-2.5 animate-[pulse-dot_1.6s_ease-out_infinite] rounded-full bg-accent" />
            Waiting for the first call…
          </p>
        )}
      </div>
    </Card>
  )
}

const Arrived = ({ call }: { call: CallJson }): ReactNode => (
  <div className="flex flex-wrap items-center gap-x-6 gap-y-3">
    <span className="flex items-center gap-2 font-medium">
      <Icon name="check" className="size-5 text-ok" />
      It is here.
    </span>
    <span>
      <bdi className="font-medium">{call.kind === 'llm' ? call.model : call.tool}</bdi>
      {call.kind === 'llm' && (
        <span className="text-ink-2">
          {' '}
          {compact(call.promptTokens)} tokens in, {compact(call.completionTokens)} out
        </span>
      )}
    </span>
    <span className="meter-figure text-2xl" title={call.charge.basis === 'unpriced' ? undefined : exactUsd(call.charge.totalUsd)}>
      {call.charge.basis === 'unpriced' ? 'unpriced' : usd(call.charge.totalUsd)}
    </span>
    <span className="ml-auto flex gap-2">
      {call.run !== undefined && (
        <ViewLink to={pathOf('/runs', call.run)} className="field flex items-center">
          Open the run
        </ViewLink>
      )}
      <ViewLink to="/" className="field flex items-center bg-accent font-medium text-on-accent">
        To the overview
      </ViewLink>
    </span>
  </div>
)
