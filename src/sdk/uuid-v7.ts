import { randomFillSync } from 'node:crypto'

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
/** Random bytes are fetched this many ids at a time: one system call for each id would be most of its cost. */
const idsPerRefill = 256
const bytesPerId = 10
const counterMax = 0xfff

/**
 * Makes UUIDs of version 7 (RFC 9562): 48 bits of UTC milliseconds, a 12-bit counter, 62 random bits. Ids of one maker rise
 * strictly, also within a millisecond and when the clock steps back, so that a ledger's index only ever grows at its end.
 */
export const createUuidV7 = (
  now: () => number,
  fill: (bytes: Uint8Array) => unknown = (bytes) => randomFillSync(bytes),
): (() => string) => {
  const pool = new Uint8Array(idsPerRefill * bytesPerId)
  let used = pool.length
  let lastMs = -1
  let counter = 0

  return () => {
    if (used === pool.length) {
      fill(pool)
      used = 0
    }
    const at = used
    used += bytesPerId
    const byte = (index: number): number => pool[at + index] ?? 0
    const ms = Math.max(0, Math.floor(now()))
    if (ms > lastMs) {
      lastMs = ms
      // Begins in the lower half, so that a burst has at least 2,048 ids before it borrows from the next millisecond.
      counter = ((byte(0) << 8) | byte(1)) & (counterMax >> 1)
    } else if (counter === counterMax) {
      lastMs += 1
      counter = 0
    } else counter += 1
    const time = lastMs.toString(16).padStart(12, '0')
    const tail = hex[byte(4)] + (hex[byte(5)] ?? '') + hex[byte(6)] + hex[byte(7)] + hex[byte(8)] + hex[byte(9)]
    return `${time.slice(0, 8)}-${time.slice(8, 12)}-7${counter.toString(16).padStart(3, '0')}-${hex[(byte(2) & 0x3f) | 0x80]}${hex[byte(3)]}-${tail}`
  }
}
