import type { ReactNode } from 'react'
import type { RunCallJson } from '../../../../src/server/api.ts'
import { count, duration, exactUsd } from '../../format/numbers.ts'
import { clockOf } from '../../format/times.ts'
import { ChargeText, unpricedReasons } from '../../segments/charge-text.tsx'
import { useView } from '../../state/use-view.ts'
import { Card } from '../../ui/card.tsx'
import { IconButton } from '../../ui/controls.tsx'
import { PriceLines } from './price-lines.tsx'
import { PriceSource } from './price-source.tsx'

/** One call: what it used, the rate of each unit, where the rate is from, and everything else that is known of it. */
export const CallPanel = ({ call, onClose }: { call: RunCallJson; onClose: () => void }): ReactNode => {
  const { charge } = call
  return (
    <Card
      title={call.kind === 'llm' ? call.model : call.tool}
      note={call.step}
      actions={<IconButton icon="close" label="Back to the whole run" onClick={onClose} />}
    >
      <p className="meter-figure text-2xl">
        <ChargeText charge={charge} />
      </p>
      <p className="mb-3 text-xs text-ink-2">
        {charge.basis === 'unpriced' ? unpricedReasons[charge.reason] : basisSentences[charge.basis]} The run had cost{' '}
        {exactUsd(call.costSoFarUsd)} after it.
      </p>
      {charge.basis !== 'unpriced' && charge.lines.length > 0 && <PriceLines charge={charge} />}
      {charge.basis !== 'unpriced' && charge.computedUsd !== undefined && (
        <p className="mt-2 text-xs text-ink-2">The price book makes {exactUsd(charge.computedUsd)} of the same usage.</p>
      )}
      {charge.basis !== 'unpriced' && charge.unpricedUnits !== undefined && (
        <p className="mt-2 text-xs text-warn">Without a rate, and so not in the total: {charge.unpricedUnits.join(', ')}.</p>
      )}
      {call.kind === 'llm' && charge.basis !== 'unpriced' && (
        <PriceSource provider={call.provider} model={call.model} at={call.at} book={charge.book} />
      )}
      <Facts call={call} />
    </Card>
  )
}

const basisSentences = {
  reported: 'The provider said so.',
  computed: 'Usage times the rates of the price book.',
  partial: 'Some units have no rate: at least this much.',
  estimated: 'The usage or the rate is not exactly known: about this much.',
} as const

const Facts = ({ call }: { call: RunCallJson }): ReactNode => {
  const { zone } = useView()
  const facts: (readonly [string, string | undefined])[] = [
    ['Began', clockOf(zone).full(Date.parse(call.at))],
    ['Took', duration(call.durationMs)],
    ['Status', call.error === undefined ? call.status : `${call.status}, ${call.error}`],
    ['Attempt', call.attempt === 0 ? undefined : `${call.attempt + 1}, a retry`],
    ['Source', call.source],
  ]
  if (call.kind === 'llm') {
    facts.push(
      ['Provider', call.provider],
      ['Asked for', call.requestedModel === call.model ? undefined : call.requestedModel],
      ['Operation', call.operation],
      ['First byte', call.firstByteMs === undefined ? undefined : duration(call.firstByteMs)],
      ['Tokens', `${count(call.promptTokens)} in, ${count(call.completionTokens)} out`],
      ['Usage', call.quality === 'complete' ? undefined : call.quality],
      ['Flags', call.flags?.join(', ')],
      ['Tier', call.tier],
      ['Speed', call.speed],
      ['Region', call.region],
      ['Prompt hash', call.promptHash],
    )
  }
  facts.push(
    ['Corrected', call.corrects === undefined ? undefined : (call.reason ?? 'yes')],
    ['Call key', call.callKey],
    ['Entry', call.id],
  )
  const tags = Object.entries(call.tags ?? {})
  return (
    <dl className="mt-4 grid grid-cols-[6rem_minmax(0,1fr)] gap-y-1.5 border-t border-line pt-3 text-xs">
      {facts
        .filter(([, value]) => value !== undefined)
        .map(([title, value]) => (
          <Fact key={title} title={title} value={value ?? ''} />
        ))}
      {tags.map(([key, value]) => (
        <Fact key={`tag ${key}`} title={key} value={value} />
      ))}
    </dl>
  )
}

const Fact = ({ title, value }: { title: string; value: string }): ReactNode => (
  <>
    <dt className="truncate text-ink-3">{title}</dt>
    <dd className="break-words">
      <bdi>{value}</bdi>
    </dd>
  </>
)
