import { type Unit, unitNames } from '../core/units.ts'
import type { Dialect } from './dialect.ts'

/** Lists that were made: one for each set of rules that do not hold, so that whoever works out rates for one can remember them. */
const made = new WeakMap<Dialect, Map<number, readonly Unit[]>>()

/**
 * The units that a call can be counted in, as far as its request tells; undefined: any. `has` says whether a word stands anywhere in the
 * request, as it is written. A budget then does not set a prompt of text aside at the rate of sound, or of an hour's cache.
 */
export const mayUseOf = (dialect: Dialect, has: (word: string) => boolean): readonly Unit[] | undefined => {
  const rules = dialect.onlyWith
  // A plain letter that is written as an escape is there to be overlooked.
  if (rules === undefined || has('\\u00')) return undefined
  let missing = 0
  rules.forEach(({ words }, index) => {
    if (!words.some(has)) missing |= 1 << index
  })
  if (missing === 0) return undefined
  let lists = made.get(dialect)
  if (lists === undefined) made.set(dialect, (lists = new Map()))
  let list = lists.get(missing)
  if (list === undefined) {
    const excluded = new Set(rules.flatMap(({ units }, index) => ((missing >> index) & 1 ? units : [])))
    lists.set(missing, (list = unitNames.filter((unit) => !excluded.has(unit))))
  }
  return list
}
