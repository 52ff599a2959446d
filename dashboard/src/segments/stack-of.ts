import type { Answer, AnswerRow, QueryAnswer } from '../../../src/server/api.ts'
import { seriesColor } from '../charts/palette.ts'
import type { Doubtful } from '../format/doubt.ts'
import { count } from '../format/numbers.ts'
import { restOf } from '../format/sums.ts'
import { bucketsOf, type Interval } from '../state/buckets.ts'
import { type Figure, type MeasureInfo, valueText } from '../state/measures.ts'

/** One colour of a stacked chart: a value of the attribute, or all the values that have no colour of their own. */
export interface Layer {
  readonly name: string
  /** `undefined`: the rest. */
  readonly value: string | null | undefined
  readonly color: string
  readonly total: Figure
  readonly before: Figure
  readonly values: readonly Figure[]
  /** How many calls of each bucket are not exactly priced. */
  readonly doubts: readonly Doubtful[]
  /** The row of the answer that it is, for how sure its total is. */
  readonly row: AnswerRow
}

export interface Stack {
  readonly info: MeasureInfo
  readonly interval: Interval
  readonly starts: readonly number[]
  readonly layers: readonly Layer[]
  /** Of each bucket, over all layers. */
  readonly wholes: readonly Figure[]
  readonly wholeDoubts: readonly Doubtful[]
  readonly answer: QueryAnswer
}

export interface StackParts {
  readonly by: string
  readonly info: MeasureInfo
  readonly interval: Interval
  readonly totals: QueryAnswer | undefined
  readonly layered: Answer | undefined
  readonly whole: Answer | undefined
}

export const stackOf = ({ by, info, interval, totals, layered, whole }: StackParts): Stack | undefined => {
  if (totals === undefined || layered === undefined || whole === undefined) return undefined
  const starts = bucketsOf(interval, Date.parse(whole.from), Date.parse(whole.to), whole.tz)
  const places = new Map(starts.map((start, index) => [start, index]))
  const spread = (rows: readonly AnswerRow[]): readonly Figure[] => {
    const values: Figure[] = starts.map(() => (info.isSum ? (info.form === 'usd' ? '0' : 0) : null))
    for (const row of rows) {
      const place = places.get(Date.parse(row.bucket ?? ''))
      if (place !== undefined) values[place] = row[info.name]
    }
    return values
  }
  const doubtsIn = (rows: readonly AnswerRow[]): readonly Doubtful[] => {
    const doubts: Doubtful[] = starts.map(() => ({}))
    for (const row of rows) {
      const place = places.get(Date.parse(row.bucket ?? ''))
      if (place !== undefined) doubts[place] = row
    }
    return doubts
  }
  const before = new Map((totals.previous?.rows ?? []).map((row) => [row[by], row[info.name]]))
  const wholes = spread(whole.rows)
  const wholeDoubts = doubtsIn(whole.rows)
  const rowsOf = (value: unknown): readonly AnswerRow[] =>
    layered.rows.filter((each) => each.folded === undefined && (each[by] ?? null) === (value ?? null))
  const layers: Layer[] = totals.rows
    .filter((row) => row.folded === undefined)
    .map((row, place) => ({
      name: valueText(by, row[by]),
      value: row[by] as string | null,
      color: seriesColor(place),
      total: row[info.name],
      before: before.get(row[by] ?? null),
      values: spread(rowsOf(row[by])),
      doubts: doubtsIn(rowsOf(row[by])),
      row,
    }))
  const folded = totals.rows.find((row) => row.folded !== undefined)
  if (folded !== undefined && info.isSum) {
    const values = wholes.map((sum, index) =>
      restOf(
        info,
        sum,
        layers.map((layer) => layer.values[index]),
      ),
    )
    layers.push({
      name: `${count(folded.folded)} others`,
      value: undefined,
      color: seriesColor(-1),
      total: folded[info.name],
      before: undefined,
      values,
      doubts: wholeDoubts.map((doubt, index) =>
        doubtLeft(
          doubt,
          layers.map((layer) => layer.doubts[index] ?? {}),
        ),
      ),
      row: folded,
    })
  }
  return { info, interval, starts, layers, wholes, wholeDoubts, answer: totals }
}

/** What is in doubt in none of the parts is so in the rest. */
const doubtLeft = (whole: Doubtful, parts: readonly Doubtful[]): Doubtful => {
  const left = (name: 'unpricedCalls' | 'partialCalls' | 'estimatedCalls'): number =>
    parts.reduce((rest, part) => rest - Number(part[name] ?? 0), Number(whole[name] ?? 0))
  return { unpricedCalls: left('unpricedCalls'), partialCalls: left('partialCalls'), estimatedCalls: left('estimatedCalls') }
}
