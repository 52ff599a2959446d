/** Plain statistics over lists of numbers. Money comes here only to be compared, never to be added up. */

export const meanOf = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length

/** The middle value; the mean of the two middle ones when they are even in number. 0 for an empty list. */
export const medianOf = (values: readonly number[]): number => {
  if (values.length === 0) return 0
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** Median distance from the median, scaled so that for normal values it is their standard deviation. Outliers do not move it. */
export const robustSpreadOf = (values: readonly number[]): number => {
  const middle = medianOf(values)
  return 1.4826 * medianOf(values.map((value) => Math.abs(value - middle)))
}

/** Median of the slopes between all pairs (Theil and Sen): the trend per step, which up to a quarter of wild values do not bend. */
export const slopeOf = (values: readonly number[]): number => {
  const slopes: number[] = []
  for (let right = 1; right < values.length; right++) {
    for (let left = 0; left < right; left++) slopes.push(((values[right] ?? 0) - (values[left] ?? 0)) / (right - left))
  }
  return medianOf(slopes)
}

/** Two samples compared by rank (Mann and Whitney): no assumption about how costs are distributed, ties corrected. */
export interface RankTest {
  /** Two-sided probability of a difference this large by chance. */
  readonly p: number
  /** Probability that a value of the second sample is larger than one of the first; 0.5 means no difference. */
  readonly superiority: number
}

/** Undefined when a sample has fewer than eight values: the normal approximation does not hold for fewer. */
export const rankTest = (first: readonly number[], second: readonly number[]): RankTest | undefined => {
  const [n, m] = [first.length, second.length]
  if (n < 8 || m < 8) return undefined
  const all = [...first.map((value) => ({ value, isSecond: false })), ...second.map((value) => ({ value, isSecond: true }))].sort(
    (left, right) => left.value - right.value,
  )
  let secondRanks = 0
  let ties = 0
  for (let start = 0; start < all.length; ) {
    let end = start
    while (end < all.length && all[end]?.value === all[start]?.value) end++
    const rank = (start + end + 1) / 2
    for (let index = start; index < end; index++) if (all[index]?.isSecond) secondRanks += rank
    const tied = end - start
    ties += tied ** 3 - tied
    start = end
  }
  const u = secondRanks - (m * (m + 1)) / 2
  const total = n + m
  const variance = ((n * m) / 12) * (total + 1 - ties / (total * (total - 1)))
  if (variance <= 0) return { p: 1, superiority: 0.5 }
  const distance = Math.max(0, Math.abs(u - (n * m) / 2) - 0.5) / Math.sqrt(variance)
  return { p: Math.min(1, 2 * upperTail(distance)), superiority: u / (n * m) }
}

/** So many of so many. */
export interface Share {
  readonly part: number
  readonly whole: number
}

/** Expected on either side of either share; with fewer the normal approximation does not hold. */
const expectedMin = 5

/** Two-sided probability that two shares differ as much by chance (pooled, continuity corrected); undefined where there are too few to tell. */
export const shareTest = (first: Share, second: Share): number | undefined => {
  const pooled = (first.part + second.part) / (first.whole + second.whole)
  const fewest = Math.min(pooled, 1 - pooled) * Math.min(first.whole, second.whole)
  if (!(fewest >= expectedMin)) return undefined
  const perTrial = 1 / first.whole + 1 / second.whole
  const apart = Math.abs(first.part / first.whole - second.part / second.whole) - perTrial / 2
  return Math.min(1, 2 * upperTail(Math.max(0, apart) / Math.sqrt(pooled * (1 - pooled) * perTrial)))
}

/** P(Z > z) of the standard normal distribution; error below 1.5 × 10⁻⁷ (Abramowitz and Stegun 26.2.17). */
const upperTail = (z: number): number => {
  const t = 1 / (1 + 0.2316419 * z)
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
  return density * t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
}
