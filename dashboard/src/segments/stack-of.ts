import type { Answer, AnswerRow, QueryAnswer } from '../../../src/server/api.ts'
import { seriesColor } from '../charts/palette.ts'
import { count } from '../format/numbers.ts'
import { restOf, sumOf } from '../format/sums.ts'
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
  const before = new Map((totals.previous?.rows ?? []).map((row) => [row[by], row[info.name]]))
  const wholes = spread(whole.rows)
  const layers: Layer[] = totals.rows
    .filter((row) => row.folded === undefined)
    .map((row, place) => ({
      name: valueText(by, row[by]),
      value: row[by] as string | null,
      color: seriesColor(place),
      total: row[info.name],
      before: before.get(row[by] ?? null),
      values: spread(layered.rows.filter((each) => each.folded === undefined && (each[by] ?? null) === (row[by] ?? null))),
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
      row: folded,
    })
  }
  return { info, interval, starts, layers, wholes, answer: totals }
}

/** Of each bucket the sum of its rows, of an answer that leaves nothing out. What no row knows is not nothing. */
export const wholeOf = (info: MeasureInfo, layered: Answer): Answer => {
  const rows = [...Map.groupBy(layered.rows, (row) => row.bucket)].map(([bucket, parts]): AnswerRow => {
    const known = parts.map((row) => row[info.name]).filter((value) => value !== null)
    return { ...(bucket !== undefined && { bucket }), [info.name]: known.length === 0 ? null : (sumOf(info, known) ?? null) }
  })
  return { ...layered, rows }
}
