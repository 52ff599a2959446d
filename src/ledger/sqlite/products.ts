import { two32 } from './block.ts'

/**
 * Money that is a count times a rate. Rows of a segment are calls of one model at one price, so what a unit cost is nearly always its
 * tokens times one of a few rates: a byte says which, where the amount takes five.
 */
export interface Product {
  readonly rates: Float64Array
  /** Per row the place of its rate; without places every row has the first. */
  readonly places: Uint8Array | undefined
}

interface Pair {
  readonly low: Float64Array | undefined
  readonly high: Float64Array | undefined
}

const ratesMax = 256

/** The rates by which `counts` make `amounts`, exactly in every row; undefined when they do not. */
export const productOf = (rows: number, counts: Pair, amounts: Pair): Product | undefined => {
  const places = new Uint8Array(rows)
  const placeOf = new Map<number, number>()
  for (let row = 0; row < rows; row++) {
    const count = valueAt(counts, row)
    const amount = valueAt(amounts, row)
    if (count === 0 && amount === 0) continue
    const rate = amount / count
    if (!Number.isSafeInteger(amount) || !Number.isSafeInteger(count) || !Number.isSafeInteger(rate)) return undefined
    let place = placeOf.get(rate)
    if (place === undefined) {
      place = placeOf.size
      if (place === ratesMax) return undefined
      placeOf.set(rate, place)
    }
    places[row] = place
  }
  if (placeOf.size === 0) return undefined
  return { rates: Float64Array.from(placeOf.keys()), places: placeOf.size === 1 ? undefined : places }
}

const valueAt = ({ low, high }: Pair, row: number): number =>
  (low === undefined ? 0 : (low[row] as number)) + (high === undefined ? 0 : (high[row] as number) * two32)

/** The amounts again, in two parts. `countAt` gives a row's count. */
export const amountsOf = (
  rows: number,
  { rates, places }: Product,
  countAt: (row: number) => number,
): { readonly low: Uint32Array; readonly high: Float64Array } => {
  const low = new Uint32Array(rows)
  const high = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const amount = countAt(row) * (rates[places === undefined ? 0 : (places[row] as number)] as number)
    const over = Math.floor(amount / two32)
    low[row] = amount - over * two32
    high[row] = over
  }
  return { low, high }
}
