import { type ReactNode, useMemo } from 'react'
import type { RunCallJson, RunDetailJson } from '../../../../src/server/api.ts'
import { ShareBar } from '../../charts/sparkline.tsx'
import { counted, percent, picoOf, usd, usdTextOf } from '../../format/numbers.ts'
import { ChargeText } from '../../segments/charge-text.tsx'
import { Card } from '../../ui/card.tsx'
import { CallsCost } from './calls-cost.tsx'

interface Part {
  readonly key: string
  readonly name: string
  readonly calls: readonly RunCallJson[]
  readonly cost: bigint
}

const shown = 6

/** What the run's cost is made of: its dearest calls, its models and tools, and what its retries came to. */
export const WhereItWent = ({ detail, onChoose }: { detail: RunDetailJson; onChoose: (id: string) => void }): ReactNode => {
  const { run, calls } = detail
  const dearest = useMemo(
    () =>
      [...calls]
        .filter((call) => costOf(call) > 0n)
        .sort((left, right) => compare(costOf(right), costOf(left)))
        .slice(0, shown),
    [calls],
  )
  const parts = useMemo(() => partsOf(calls), [calls])
  const retried = calls.filter((call) => call.attempt > 0)
  const retriedCost = retried.reduce((sum, call) => sum + costOf(call), 0n)
  const total = Number(run.costUsd)
  return (
    <Card title="Where it went">
      <h3 className="mb-1 text-xs font-medium text-ink-3">By model and tool</h3>
      <ul className="flex flex-col gap-2">
        {parts.slice(0, 10).map((part) => {
          const share = total > 0 ? Number(usdTextOf(part.cost)) / total : 0
          return (
            <li key={part.key}>
              <span className="flex items-baseline gap-2">
                <bdi className="mr-auto min-w-0 truncate">{part.name}</bdi>
                <span className="text-xs whitespace-nowrap text-ink-3">{counted(part.calls.length, 'call')}</span>
                <span className="font-medium">
                  <CallsCost calls={part.calls} cost={usdTextOf(part.cost)} />
                </span>
                <span className="w-11 text-right text-xs text-ink-3">{total > 0 ? percent(share) : '–'}</span>
              </span>
              <ShareBar share={share} className="mt-1 h-1" />
            </li>
          )
        })}
      </ul>
      {retried.length > 0 && (
        <p className="mt-3 rounded-md bg-warn-soft px-3 py-2 text-xs text-warn">
          {retried.length} {retried.length === 1 ? 'retry' : 'retries'}, which cost {usd(usdTextOf(retriedCost))}.
        </p>
      )}
      <h3 className="mt-4 mb-1 text-xs font-medium text-ink-3">Dearest calls</h3>
      <ol className="-mx-2">
        {dearest.map((call) => (
          <li key={call.id}>
            <button
              type="button"
              onClick={() => onChoose(call.id)}
              className="flex w-full items-baseline gap-2 rounded-md px-2 py-1 text-left hover:bg-sunken"
            >
              <bdi className="mr-auto min-w-0 truncate">{nameOf(call)}</bdi>
              <bdi className="max-w-1/3 shrink-0 truncate text-xs text-ink-3">{call.step}</bdi>
              <span className="font-medium">
                <ChargeText charge={call.charge} />
              </span>
            </button>
          </li>
        ))}
      </ol>
      <p className="mt-3 text-xs text-ink-3">Choose a step to see how it was priced.</p>
    </Card>
  )
}

const nameOf = (call: RunCallJson): string => (call.kind === 'llm' ? call.model : call.tool)

const costOf = (call: RunCallJson): bigint => (call.charge.basis === 'unpriced' ? 0n : (picoOf(call.charge.totalUsd) ?? 0n))

const compare = (left: bigint, right: bigint): number => (left < right ? -1 : left > right ? 1 : 0)

const partsOf = (calls: readonly RunCallJson[]): readonly Part[] =>
  [...Map.groupBy(calls, (call) => `${call.kind} ${nameOf(call)}`)]
    .map(
      ([key, own]): Part => ({
        key,
        name: own[0] === undefined ? '' : nameOf(own[0]),
        calls: own,
        cost: own.reduce((sum, call) => sum + costOf(call), 0n),
      }),
    )
    .toSorted((left, right) => compare(right.cost, left.cost))
