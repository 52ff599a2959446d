import { emptySums, type Group, hoursOf, measureOf, type Sums, type Value } from '../core/answer.ts'
import { TaximeterError } from '../core/errors.ts'
import { bucketsMax, type Question, rowsMax } from '../core/question.ts'
import { bucketStarts } from '../core/window.ts'

/** A group as a store found it: the bucket's start, the values of the breakdown, the finished sums. */
export interface Found {
  readonly bucket: number | undefined
  readonly key: readonly (string | null)[]
  readonly sums: Sums
}

/** The starts of the question's buckets; one that is undefined when it has none. */
export const startsOf = (question: Question): readonly (number | undefined)[] =>
  question.interval === undefined ? [undefined] : bucketStarts(question.interval, question.from, question.to, question.zone, bucketsMax)

/** Groups that a store has put together because none of them can be among the top. */
export interface Beyond<F> {
  readonly group: F
  readonly count: number
}

/**
 * What a store found → the groups of an answer: at most `top` per bucket by the first measure and the rest as one row `other`, in
 * order of bucket, then the first measure from the largest, then the values. A question without a breakdown has a row for every
 * bucket, so that a chart shows a zero where there was nothing. `fold` adds groups up.
 */
export const groupsOf = <F extends Found>(
  question: Question,
  found: readonly F[],
  fold: (rest: readonly F[]) => Sums,
  beyond?: Beyond<F>,
): readonly Group[] => {
  const buckets = new Map<number | undefined, F[]>()
  for (const start of startsOf(question)) buckets.set(start, [])
  for (const group of found) buckets.get(group.bucket)?.push(group)
  const groups: Group[] = []
  for (const [bucket, rows] of buckets) {
    if (rows.length === 0 && question.by.length === 0) groups.push({ ...bucketOf(bucket), key: [], sums: emptySums() })
    else groups.push(...ranked(question, bucket, rows, fold, beyond))
  }
  checkRows(groups.length)
  return groups
}

/** Throws BAD_QUESTION when an answer would have too many rows; a store may ask before it has made them. */
export const checkRows = (rows: number): void => {
  if (rows <= rowsMax) return
  throw new TaximeterError(
    'BAD_QUESTION',
    `This question has ${rows} rows, more than ${rowsMax}. Ask for the top ones, fewer attributes, a filter or a shorter period.`,
  )
}

const ranked = <F extends Found>(
  question: Question,
  bucket: number | undefined,
  rows: readonly F[],
  fold: (rest: readonly F[]) => Sums,
  beyond: Beyond<F> | undefined,
): readonly Group[] => {
  const [measure] = question.measures
  // Only a rate needs the length of its bucket.
  const hours = measure === 'burnRatePerHour' ? hoursOf(question, bucket) : 0
  const sorted = rows
    .map((row) => ({ row, value: rankOf(measure === undefined ? null : measureOf(measure, row.sums, hours)) }))
    .sort((left, right) => compareRanks(right.value, left.value) || compareKeys(left.row.key, right.row.key))
    .map(({ row }) => row)
  const kept = question.top === undefined ? sorted : sorted.slice(0, question.top)
  const rest = [...sorted.slice(kept.length), ...(beyond === undefined ? [] : [beyond.group])]
  const groups: Group[] = kept.map(({ key, sums }) => ({ ...bucketOf(bucket), key, sums }))
  if (rest.length > 0)
    groups.push({
      ...bucketOf(bucket),
      key: question.by.map(() => 'other'),
      sums: fold(rest),
      folded: rest.length + (beyond === undefined ? 0 : beyond.count - 1),
    })
  return groups
}

const bucketOf = (bucket: number | undefined): { readonly bucket?: number } => (bucket === undefined ? {} : { bucket })

/** Adds what calls sum to. What runs sum to is not added: a run that lies in both groups counts once. */
export const addCallSums = (to: Sums, from: Sums): void => {
  for (const name of ['llmCalls', 'toolCalls', 'retries', 'errors'] as const) to[name] += from[name]
  for (const name of ['llmCost', 'toolCost', 'retryCost'] as const) to[name] += from[name]
  for (const [unit, count] of Object.entries(from.tokens) as [keyof Sums['tokens'], bigint][])
    to.tokens[unit] = (to.tokens[unit] ?? 0n) + count
  for (const [basis, { calls, cost }] of Object.entries(from.coverage) as [keyof Sums['coverage'], { calls: number; cost: bigint }][]) {
    const covered = (to.coverage[basis] ??= { calls: 0, cost: 0n })
    covered.calls += calls
    covered.cost += cost
  }
}

const shares = { p50: 0.5, p95: 0.95, p99: 0.99 } as const
type Percentile = keyof typeof shares
const percentiles: readonly Percentile[] = ['p50', 'p95', 'p99']

/** The percentiles of run cost that a question asks for, from the lowest. */
export const percentilesIn = ({ measures }: Question): readonly Percentile[] =>
  percentiles.filter((name) => measures.some((measure) => measure === `costP${name.slice(1)}`))

/** Percentiles by nearest rank, of costs from the smallest to the largest. */
export const percentilesOf = (sorted: readonly bigint[], asked: readonly Percentile[]): NonNullable<Sums['runCostAt']> =>
  Object.fromEntries(asked.map((name) => [name, sorted[rankAt(name, sorted.length)] ?? 0n]))

/** The same of costs in any order, all of which a double holds exactly. Rearranges them: a sort would take five times as long. */
export const percentilesOfDoubles = (costs: Float64Array, asked: readonly Percentile[]): NonNullable<Sums['runCostAt']> => {
  let from = 0
  return Object.fromEntries(
    asked.map((name) => {
      const rank = rankAt(name, costs.length)
      const found = BigInt(selectRank(costs, rank, from))
      // What comes after is not below: the next percentile is looked for there alone.
      from = rank
      return [name, found]
    }),
  )
}

const rankAt = (name: Percentile, count: number): number => Math.ceil(shares[name] * count) - 1

/** Moves the value of a rank to its place, with no larger one before it, and gives it. Those before `from` must not be larger already. */
export const selectRank = (values: Float64Array, rank: number, from = 0): number => {
  let first = from
  let last = values.length - 1
  while (first < last) {
    // The middle one of three, so that what is in order already takes no longer.
    const [one, two, three] = [values[first] as number, values[(first + last) >> 1] as number, values[last] as number]
    const pivot = Math.max(Math.min(one, two), Math.min(Math.max(one, two), three))
    let low = first
    let high = last
    while (low <= high) {
      while ((values[low] as number) < pivot) low += 1
      while ((values[high] as number) > pivot) high -= 1
      if (low > high) break
      const moved = values[low] as number
      values[low++] = values[high] as number
      values[high--] = moved
    }
    if (rank <= high) last = high
    else if (rank >= low) first = low
    else return values[rank] as number
  }
  return values[rank] as number
}

const runMeasure = /^(?:runs|costP\d\d|.*PerRun|costPer1kRuns)$/

/** A group has a row when something that is asked for lies in it: runs that started there, or calls made there. */
export const asksForRuns = (question: Question): boolean => question.measures.some((measure) => runMeasure.test(measure))
export const asksForCalls = (question: Question): boolean => question.measures.some((measure) => !runMeasure.test(measure))

/** A value as a double, for which most differ, and as an integer for those that do not. Values of one measure have equally many decimals. */
interface Rank {
  readonly rough: number
  readonly exact: Value
}

/** "Not defined" is below everything. */
const rankOf = (value: Value): Rank => ({ rough: value === null ? Number.NEGATIVE_INFINITY : Number(value), exact: value })

const compareRanks = (left: Rank, right: Rank): number => {
  if (left.rough !== right.rough) return left.rough - right.rough
  if (typeof left.exact !== 'string' || typeof right.exact !== 'string' || left.exact === right.exact) return 0
  return BigInt(left.exact.replace('.', '')) < BigInt(right.exact.replace('.', '')) ? -1 : 1
}

const compareKeys = (left: readonly (string | null)[], right: readonly (string | null)[]): number => {
  for (let index = 0; index < left.length; index++) {
    const [one, other] = [left[index] ?? null, right[index] ?? null]
    if (one === other) continue
    if (one === null || other === null) return one === null ? 1 : -1
    return one < other ? -1 : 1
  }
  return 0
}
