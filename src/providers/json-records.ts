import { createLines, type PieceLimits, type Pieces } from './lines.ts'

/**
 * A stream of JSON objects in any pieces → the text of each: one per line (NDJSON), or one after the other with or without an
 * array around them (Gemini without `alt=sse`), or a single one that is printed over many lines.
 *
 * The first line decides: if it is a whole object, every line is a record and no byte is looked at twice; else the braces are
 * followed. Waiting for that line makes the answer independent of how the bytes were cut.
 */
export const createJsonRecords = (record: (text: string) => void, limits: PieceLimits): Pieces => {
  let head = ''
  let inner: Pieces | undefined

  /** `end` is where the first line ends in `head`, or -1 when it does not. */
  const decide = (end: number): void => {
    const first = end === -1 ? '' : head.slice(0, end).trim()
    inner =
      first !== '' && isObject(first)
        ? createLines((line) => {
            const trimmed = line.trim()
            if (trimmed !== '') record(trimmed)
          }, limits)
        : createBraces(record, limits)
    inner.push(head)
    head = ''
  }

  const begin = (text: string): void => {
    const fresh = head === '' ? text.trimStart() : text
    if (fresh === '') return
    const end = fresh.search(/[\r\n]/)
    const before = head.length
    head += fresh
    if (end !== -1) decide(before + end)
    else if (head.length > limits.bytesMax || (before === 0 && fresh.startsWith('['))) decide(-1)
  }

  const records: Pieces = {
    isIdle: false,
    push(text) {
      if (inner === undefined) begin(text)
      else inner.push(text)
      records.isIdle = inner?.isIdle === true
    },
    end() {
      if (inner === undefined) decide(-1)
      inner?.end()
    },
  }
  return records
}

/** Following the braces costs half of what parsing does, and the record is parsed soon enough. */
const isObject = (text: string): boolean => {
  let first = ''
  createBraces(
    (record) => {
      first ||= record
    },
    { bytesMax: Number.POSITIVE_INFINITY, tooLong: () => {} },
  ).push(text)
  return first !== '' && first === text
}

/** Follows braces and strings; what stands between objects (an array's brackets and commas) is passed over. */
const createBraces = (record: (text: string) => void, limits: PieceLimits): Pieces => {
  let depth = 0
  let isInString = false
  let isEscaped = false
  let pending = ''
  let isPassingOver = false

  const keep = (text: string): void => {
    if (isPassingOver) return
    pending += text
    if (pending.length <= limits.bytesMax) return
    pending = ''
    isPassingOver = true
    limits.tooLong()
  }

  const finish = (text: string): void => {
    keep(text)
    const whole = pending
    pending = ''
    if (!isPassingOver) record(whole)
    isPassingOver = false
  }

  return {
    isIdle: false,
    push(text) {
      let start = 0
      for (let index = 0; index < text.length; index++) {
        const code = text.charCodeAt(index)
        if (isInString) {
          if (isEscaped) isEscaped = false
          else if (code === 92) isEscaped = true
          else if (code === 34) isInString = false
        } else if (code === 34) {
          isInString = depth > 0
        } else if (code === 123) {
          if (depth === 0) start = index
          depth += 1
        } else if (code === 125 && depth > 0) {
          depth -= 1
          if (depth === 0) finish(text.slice(start, index + 1))
        }
      }
      if (depth > 0) keep(text.slice(start))
    },
    end() {
      if (pending !== '') record(pending)
      pending = ''
    },
  }
}
