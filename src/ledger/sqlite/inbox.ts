import type { Bound } from './database.ts'
import type { Names } from './names.ts'
import { entryColumns, packUsage } from './rows.ts'
import { type Parcel, slot, slotCount, unitSlots } from './wire.ts'

/** Reads parcels one entry after the other, with the ledger's numbers for the sender's names. */
export interface Inbox {
  open(parcel: Parcel): void
  /** Goes on to the next entry: `base` is then where its numbers begin. */
  next(): void
  readonly numbers: Float64Array
  readonly base: number
  /** The entry's attributes, in the order of `attributeNames`. */
  readonly attributes: Int32Array
  nameAt(slot: number): number
  textAt(slot: number): string | null
  id(): Uint8Array
  /** The entry as a row to be written. The array is used again for the next one. */
  row(seq: number, isCounted: boolean, call: number): Bound[]
  /** After a rollback: names that were made are unknown again. */
  rollback(): void
}

export const createInbox = (names: Names, shapes: Names): Inbox => {
  const sent = { names: createNumbers(names), shapes: createNumbers(shapes) }
  const attributes = new Int32Array(10)
  const copies: Uint8Array[] = []
  const bound: Bound[] = new Array(entryColumns.length).fill(null)
  let numbers: Float64Array = new Float64Array(0)
  let bytes: Uint8Array = new Uint8Array(0)
  let texts: readonly string[] = []
  let base = 0
  let end = 0
  let idStart = 0
  let keyStart = 0
  let idEnd = 0

  const nameAt = (at: number): number => {
    const number = numbers[base + at] as number
    return number === 0 ? 0 : sent.names.idOf(number)
  }

  const textAt = (at: number): string | null => {
    const index = numbers[base + at] as number
    return Number.isNaN(index) ? null : (texts[index] ?? null)
  }

  const known = (at: number): number | null => {
    const value = numbers[base + at] as number
    return Number.isNaN(value) ? null : value
  }

  /**
   * Bytes to be bound, which SQLite copies at once: the same few arrays serve every row, because making a view costs more than
   * copying sixteen bytes. Two values in a row take different arrays.
   */
  const copied = (start: number, end: number, which = 0): Uint8Array => {
    const length = end - start
    const place = length * 3 + which
    const copy = (copies[place] ??= new Uint8Array(length))
    for (let index = 0; index < length; index++) copy[index] = bytes[start + index] as number
    return copy
  }

  const hasHash = (): boolean => numbers[base + slot.hasHash] === 1

  return {
    open(parcel) {
      if (parcel.isFresh) for (const list of Object.values(sent)) list.clear()
      sent.names.learn(parcel.names)
      sent.shapes.learn(parcel.shapes)
      numbers = parcel.numbers
      bytes = parcel.bytes
      texts = parcel.texts
      end = 0
      idEnd = 0
    },
    next() {
      base = end
      end += slotCount + (numbers[base + slot.units] as number) * unitSlots
      idStart = idEnd
      keyStart = idStart + (hasHash() ? 32 : 16)
      const keyBytes = numbers[base + slot.keyBytes] as number
      idEnd = keyStart + (Number.isNaN(keyBytes) ? 0 : keyBytes)
      for (let index = 0; index < 10; index++) attributes[index] = nameAt(slot.attributes + index)
    },
    get numbers() {
      return numbers
    },
    get base() {
      return base
    },
    attributes,
    nameAt,
    textAt,
    id: () => bytes.subarray(idStart, idStart + 16),
    row(seq, isCounted, call) {
      bound[0] = seq
      bound[1] = copied(idStart, idStart + 16)
      bound[2] = known(slot.at)
      bound[3] = known(slot.kind)
      bound[4] = isCounted ? 1 : 0
      bound[5] = known(slot.source)
      bound[6] = known(slot.status)
      bound[7] = known(slot.attempt)
      bound[8] = known(slot.basis)
      for (let index = 0; index < 10; index++) bound[9 + index] = attributes[index] || null
      for (let index = 0; index < 5; index++) bound[19 + index] = nameAt(slot.provider + index) || null
      bound[24] = known(slot.prompt)
      bound[25] = known(slot.completion)
      bound[26] = packUsage(numbers, base + slotCount, numbers[base + slot.units] as number, unitSlots)
      bound[27] = known(slot.cost)
      const shape = known(slot.shape)
      bound[28] = shape === null ? null : sent.shapes.idOf(shape)
      bound[29] = known(slot.duration)
      bound[30] = known(slot.firstByte)
      bound[31] = Number.isNaN(call) ? null : call
      bound[32] = nameAt(slot.keyPrefix) || null
      bound[33] = keyStart < idEnd ? copied(keyStart, idEnd, 2) : textAt(slot.keyText)
      bound[34] = hasHash() ? copied(idStart + 16, idStart + 32, 1) : null
      bound[35] = textAt(slot.extra)
      return bound
    },
    rollback() {
      for (const list of Object.values(sent)) list.unresolve()
    },
  }
}

/** The sender's numbers for texts, from 1 on → the ledger's, looked up when first used. */
const createNumbers = (table: Names) => {
  let texts: string[] = []
  let ids: number[] = []
  return {
    idOf: (number: number): number => (ids[number - 1] ||= table.idOf(texts[number - 1] ?? '')),
    learn: (added: readonly string[]): void => {
      for (const text of added) {
        texts.push(text)
        ids.push(0)
      }
    },
    clear: (): void => {
      texts = []
      ids = []
    },
    unresolve: (): void => {
      ids.fill(0)
    },
  }
}
