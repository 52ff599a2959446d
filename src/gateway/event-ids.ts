import { randomFillSync } from 'node:crypto'

const idBytes = 8
const poolBytes = 4_096

/**
 * Ids for events: UUIDs of version 7 (RFC 9562), 48 bits of UTC milliseconds, a 12-bit counter and 62 random bits. Random bytes
 * are fetched for many ids at a time and read as text at once, since this is done for every call.
 */
export const createEventIds = (now: () => number, fill: (bytes: Uint8Array) => unknown = randomFillSync): (() => string) => {
  const pool = Buffer.alloc(poolBytes)
  let used = poolBytes
  let counter = 0
  return () => {
    if (used === poolBytes) {
      fill(pool)
      used = 0
    }
    const random = pool.toString('hex', used, used + idBytes)
    used += idBytes
    counter = (counter + 1) & 0xfff
    const time = now().toString(16).padStart(12, '0')
    const count = counter.toString(16).padStart(3, '0')
    // The two highest bits of the second half say which kind of UUID it is.
    const variant = variants[Number.parseInt(random.charAt(0), 16) & 3]
    return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${variant}${random.slice(1, 4)}-${random.slice(4)}`
  }
}

const variants = ['8', '9', 'a', 'b']
