import { bases } from '../../core/charge.ts'
import { callStatuses, runStatuses, sources, stopReasons } from '../../core/event.ts'
import type { Breakdown, Filter } from '../../core/question.ts'
import { unitNames } from '../../core/units.ts'
import { dimNames, dimOf, noUnit } from './block.ts'
import type { Names } from './names.ts'

/** Names that are not in the ledger's table: values of tags. Their numbers are below zero. */
export interface LocalTexts {
  idOf(text: string): number
  textOf(id: number): string
}

export const createLocalTexts = (): LocalTexts => {
  const ids = new Map<string, number>()
  const texts: string[] = []
  return {
    idOf(text) {
      let id = ids.get(text)
      if (id === undefined) {
        texts.push(text)
        ids.set(text, (id = -texts.length))
      }
      return id
    },
    textOf: (id) => texts[-id - 1] ?? '',
  }
}

const kinds = ['llm', 'tool']
/** Attributes whose value is a place in a list, from 0 on. */
const placed: Readonly<Partial<Record<string, readonly string[]>>> = { kind: kinds, status: callStatuses, source: sources, basis: bases }
/** From 1 on, because a run may have none. */
const placedFromOne: Readonly<Partial<Record<string, readonly string[]>>> = { stopReason: stopReasons, runStatus: runStatuses }

/** A breakdown's values as the numbers that the file keeps, and back. */
export interface Values {
  numberOf(by: Breakdown, value: string | null): number
  textOf(by: Breakdown, value: number): string | null
}

const never = Number.MAX_SAFE_INTEGER

export const createValues = (names: Names, local: LocalTexts): Values => ({
  numberOf(by, value) {
    if (by === 'unit') return value === null ? noUnit : placeOf(unitNames, value)
    const list = placed[by]
    if (list !== undefined) return value === null ? never : placeOf(list, value)
    if (value === null) return 0
    const listFromOne = placedFromOne[by]
    if (listFromOne !== undefined) return placeOf(listFromOne, value) === never ? never : placeOf(listFromOne, value) + 1
    return by.startsWith('tag.') ? local.idOf(value) : (names.find(value) ?? never)
  },
  textOf(by, value) {
    if (by === 'unit') return unitNames[value] ?? null
    const list = placed[by]
    if (list !== undefined) return list[value] ?? null
    if (value === 0) return null
    const listFromOne = placedFromOne[by]
    if (listFromOne !== undefined) return listFromOne[value - 1] ?? null
    return value < 0 ? local.textOf(value) : names.textOf(value)
  },
})

const placeOf = (list: readonly string[], value: string): number => {
  const place = list.indexOf(value)
  return place === -1 ? never : place
}

/** A filter over numbers. */
export const acceptorOf = (filter: Filter, values: Values): ((value: number) => boolean) => {
  const wanted = new Set(filter.values.map((value) => values.numberOf(filter.by, value)))
  return filter.isNot ? (value) => !wanted.has(value) : (value) => wanted.has(value)
}

/** The dimension of the roll-ups that a breakdown is; undefined for those that only raw entries, or runs, know. */
export const dimOfBreakdown = (by: Breakdown): number | undefined => {
  const dim = (dimNames as readonly string[]).indexOf(by)
  return dim === -1 || dim === dimOf.retry ? undefined : dim
}
