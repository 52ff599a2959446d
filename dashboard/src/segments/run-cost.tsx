import { type ReactNode, useMemo } from 'react'
import type { RunJson } from '../../../src/server/api.ts'
import { useQuestion } from '../api/use-question.ts'
import { type Doubt, doubtOf } from '../format/doubt.ts'
import { usd, usdWith } from '../format/numbers.ts'
import { filterText } from '../state/view.ts'
import { DoubtMark } from '../ui/figure.tsx'

/** By run; a run without a doubt need not be in it. */
export type RunDoubts = ReadonlyMap<string, Doubt>

/** What an address may be long; runs whose names are longer together are marked by what they know themselves. */
const whereCharsMax = 6_000

/** What leaves the costs of these runs in doubt: their own totals know of unpriced calls only. */
export const useRunDoubts = (runs: readonly RunJson[]): RunDoubts => {
  const where = filterText({ by: 'run', values: runs.map(({ run }) => run), isNot: false })
  const { data } = useQuestion({
    measures: ['cost'],
    by: ['run'],
    where: [where],
    isBare: true,
    isEnabled: runs.length > 0 && where.length <= whereCharsMax,
  })
  return useMemo(() => new Map((data?.rows ?? []).map((row) => [String(row.run), doubtOf(row)])), [data])
}

interface RunCostProps {
  readonly run: RunJson
  readonly doubts: RunDoubts
  readonly decimals?: number
}

export const RunCost = ({ run, doubts, decimals }: RunCostProps): ReactNode => {
  const doubt = doubts.get(run.run) ?? doubtOf({ unpricedCalls: run.unpricedCalls })
  if (doubt.isUnknown && Number(run.costUsd) === 0) return <span className="text-ink-3">unpriced</span>
  return (
    <span className="font-medium whitespace-nowrap">
      <DoubtMark mark={doubt.mark} title={`Calls not exactly priced: ${doubt.sentence}`} />
      {decimals === undefined ? usd(run.costUsd) : usdWith(run.costUsd, decimals)}
    </span>
  )
}
