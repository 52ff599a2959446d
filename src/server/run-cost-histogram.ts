import { parseUsd } from '../core/money.ts'
import { headOf, type Labels, otherValue, valueText } from './metric-family.ts'
import { runCostBuckets } from './metric-list.ts'

/** What ended runs cost, by release. A run that costs more after it ended moves from one bucket to another. */
export interface RunCostHistogram {
  add(release: string, cost: bigint, sign: 1 | -1): void
  /** The release is known: its buckets begin at zero. */
  touch(release: string): void
  readonly size: number
  lines(): Iterable<string>
}

interface Row {
  /** Runs in each bucket by itself; the last is everything above. */
  readonly counts: number[]
  sum: bigint
  /** What was printed: none of these ever falls, for the reason given at `Series`. */
  readonly shown: number[]
  shownSum: bigint
  isStale: boolean
  text: string
}

const name = 'agent_run_cost_usd'
const bounds = runCostBuckets.map((text) => parseUsd(text) ?? 0n)
const bucketNames = [...runCostBuckets, '+Inf']

export const createRunCostHistogram = (labels: Labels, rowsMax: number): RunCostHistogram => {
  const rows = new Map<string, Row>()

  const rowOf = (release: string): Row => {
    let value = labels.value('release', release)
    if (!rows.has(value) && rows.size >= rowsMax && value !== otherValue) {
      labels.countOverflow('release')
      value = otherValue
    }
    let row = rows.get(value)
    if (row === undefined) {
      const zeros = bucketNames.map(() => 0)
      rows.set(value, (row = { counts: zeros, sum: 0n, shown: [...zeros], shownSum: 0n, isStale: true, text: '' }))
    }
    return row
  }

  return {
    add(release, cost, sign) {
      const row = rowOf(release)
      const bucket = bounds.findIndex((bound) => cost <= bound)
      const index = bucket === -1 ? bounds.length : bucket
      row.counts[index] = (row.counts[index] ?? 0) + sign
      row.sum += BigInt(sign) * cost
      row.isStale = true
    },
    touch(release) {
      rowOf(release)
    },
    get size() {
      return rows.size * (bucketNames.length + 2)
    },
    *lines() {
      if (rows.size === 0) return
      yield headOf(name, 'histogram')
      for (const [release, row] of rows) {
        if (row.isStale) row.text = rowText(release, row)
        row.isStale = false
        yield row.text
      }
    },
  }
}

const rowText = (release: string, row: Row): string => {
  let text = ''
  let count = 0
  bucketNames.forEach((bucket, index) => {
    count += row.counts[index] ?? 0
    const shown = Math.max(count, row.shown[index] ?? 0)
    row.shown[index] = shown
    text += `${name}_bucket{release="${release}",le="${bucket}"} ${shown}\n`
  })
  if (row.sum > row.shownSum) row.shownSum = row.sum
  return `${text}${name}_sum{release="${release}"} ${valueText(row.shownSum, 'usd')}\n${name}_count{release="${release}"} ${row.shown.at(-1)}\n`
}
