/**
 * How many calls of each row took how long: a list of (row, bin of latency, calls), in order of row and bin. Beside the sums and not
 * among them, because a row's calls take hundreds of different times: as rows of their own they would be as many as the calls.
 */
export interface Times {
  readonly length: number
  readonly rows: Int32Array
  readonly bins: Int32Array
  readonly counts: Float64Array
}

/** As it lies in a chunk: row i has `lengths[i]` bins. */
export interface ChunkTimes {
  readonly lengths: Uint8Array | Uint16Array | Uint32Array
  readonly bins: Uint16Array
  /** One per bin; without them each is one call, and a bin of two calls is there twice. */
  readonly counts: Uint16Array | Float64Array | undefined
}

/** More than any latency has: 2⁵³ ms lies in bin 6,142. */
const binsMax = 8_192

/** Moves each time to the row that `targetOf` says (−1: to none) and adds up what meets. */
export const combineTimes = (from: Times, targetOf: Int32Array): Times => {
  const sums = new Map<number, number>()
  for (let index = 0; index < from.length; index++) {
    const target = targetOf[from.rows[index] as number] as number
    if (target === -1) continue
    const key = target * binsMax + (from.bins[index] as number)
    sums.set(key, (sums.get(key) ?? 0) + (from.counts[index] as number))
  }
  const keys = new Float64Array(sums.size)
  let length = 0
  for (const [key, count] of sums) if (count !== 0) keys[length++] = key
  const sorted = keys.subarray(0, length).sort()
  const times = { length, rows: new Int32Array(length), bins: new Int32Array(length), counts: new Float64Array(length) }
  for (let index = 0; index < length; index++) {
    const key = sorted[index] as number
    times.rows[index] = Math.floor(key / binsMax)
    times.bins[index] = key % binsMax
    times.counts[index] = sums.get(key) as number
  }
  return times
}

const headBytes = 16

/** Counts cost more than repeated bins until a bin has three calls on average. */
const repeatMax = 3

export const formatTimes = (times: Times, rowCount: number): Uint8Array | null => {
  if (times.length === 0) return null
  const counts = times.counts.subarray(0, times.length)
  const least = counts.reduce((min, count) => Math.min(min, count))
  const calls = counts.reduce((sum, count) => sum + count)
  const isRepeated = least > 0 && calls < times.length * repeatMax
  const { rows, bins, length } = isRepeated ? repeated(times, calls) : times
  const lengths = new Uint32Array(rowCount)
  for (let index = 0; index < length; index++) lengths[rows[index] as number] = (lengths[rows[index] as number] as number) + 1
  const kept = isRepeated ? undefined : least >= 0 && counts.every((count) => count < 65_536) ? Uint16Array.from(counts) : counts.slice()
  const parts = [kept, narrowed(lengths), Uint16Array.from(bins.subarray(0, length))]
    .filter((part) => part !== undefined)
    .sort((left, right) => right.BYTES_PER_ELEMENT - left.BYTES_PER_ELEMENT)
  return layOut(parts, [rowCount, length, narrowed(lengths).BYTES_PER_ELEMENT, kept?.BYTES_PER_ELEMENT ?? 0])
}

const narrowed = (lengths: Uint32Array): ChunkTimes['lengths'] => {
  const most = lengths.reduce((max, count) => Math.max(max, count), 0)
  return most < 256 ? Uint8Array.from(lengths) : most < 65_536 ? Uint16Array.from(lengths) : lengths
}

const repeated = ({ length, rows, bins, counts }: Times, calls: number): Times => {
  const all = { length: calls, rows: new Int32Array(calls), bins: new Int32Array(calls), counts: new Float64Array(0) }
  let at = 0
  for (let index = 0; index < length; index++) {
    const next = at + (counts[index] as number)
    all.rows.fill(rows[index] as number, at, next)
    all.bins.fill(bins[index] as number, at, next)
    at = next
  }
  return all
}

/** The widest part first, so that each is aligned. */
const layOut = (parts: readonly (Uint8Array | Uint16Array | Uint32Array | Float64Array)[], head: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(headBytes + parts.reduce((sum, part) => sum + part.byteLength, 0))
  const view = new DataView(bytes.buffer)
  for (const [index, value] of head.entries()) view.setUint32(index * 4, value, true)
  let at = headBytes
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at)
    at += part.byteLength
  }
  return bytes
}

export const parseTimes = (bytes: Uint8Array): ChunkTimes => {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const [rowCount = 0, length = 0, lengthWidth = 1, countWidth = 0] = [0, 4, 8, 12].map((at) => view.getUint32(at, true))
  // In the order in which they were laid out: by width, and those of one width as they are listed here.
  const order = [
    { name: 'counts', width: countWidth, size: length },
    { name: 'lengths', width: lengthWidth, size: rowCount },
    { name: 'bins', width: 2, size: length },
  ].filter(({ width }) => width > 0)
  const found: Partial<Record<string, Uint8Array | Uint16Array | Uint32Array | Float64Array>> = {}
  let at = bytes.byteOffset + headBytes
  for (const { name, width, size } of order.sort((left, right) => right.width - left.width)) {
    found[name] = viewOf(bytes.buffer, at, width, size)
    at += width * size
  }
  return { lengths: found.lengths as ChunkTimes['lengths'], bins: found.bins as Uint16Array, counts: found.counts as ChunkTimes['counts'] }
}

const viewOf = (buffer: ArrayBufferLike, at: number, width: number, size: number) => {
  if (width === 1) return new Uint8Array(buffer, at, size)
  if (width === 2) return new Uint16Array(buffer, at, size)
  return width === 4 ? new Uint32Array(buffer, at, size) : new Float64Array(buffer, at, size)
}

/** A chunk's times as a list, to be combined with others; rows begin at `start`. */
export const timesOf = ({ lengths, bins, counts }: ChunkTimes, start: number): Times => {
  const rows = new Int32Array(bins.length)
  let at = 0
  for (let row = 0; row < lengths.length; row++) for (let index = 0; index < (lengths[row] as number); index++) rows[at++] = start + row
  return {
    length: bins.length,
    rows,
    bins: Int32Array.from(bins),
    counts: counts === undefined ? new Float64Array(bins.length).fill(1) : Float64Array.from(counts),
  }
}

export const concatenateTimes = (parts: readonly Times[]): Times => {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const whole = { length, rows: new Int32Array(length), bins: new Int32Array(length), counts: new Float64Array(length) }
  let at = 0
  for (const part of parts) {
    whole.rows.set(part.rows.subarray(0, part.length), at)
    whole.bins.set(part.bins.subarray(0, part.length), at)
    whole.counts.set(part.counts.subarray(0, part.length), at)
    at += part.length
  }
  return whole
}
