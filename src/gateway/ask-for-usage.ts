import { createJsonOutline } from './json-outline.ts'
import type { HeldBody } from './request-body.ts'

const wanted = '"include_usage":true'

/**
 * The pieces of a chat request that asks for a stream, with the wish for its usage added; undefined when it has that wish, or
 * says that it does not want it, or asks for no stream. Nothing else of the body is touched: numbers, order and spacing stay
 * the caller's.
 *
 * Usage then comes in a chunk of its own at the end, which `createUsageChunkFilter` takes out again.
 */
export const withUsageWish = (held: HeldBody): readonly Buffer[] | undefined => {
  if (!held.isWhole || held.fields.stream !== true) return undefined
  const options = held.fields.stream_options
  if (options === undefined && !Object.hasOwn(held.fields, 'stream_options') && !held.outline?.omitted.includes('stream_options')) {
    const body = Buffer.concat(held.chunks)
    const open = body.indexOf(0x7b) + 1
    return spliced(body, open, open, `"stream_options":{${wanted}},`)
  }
  if (options !== null && (typeof options !== 'object' || 'include_usage' in options)) return undefined
  return withinOptions(Buffer.concat(held.chunks), options)
}

/** The options are there and say nothing of usage: it is added inside them, where they stand in the body. */
const withinOptions = (body: Buffer, options: object | null): readonly Buffer[] | undefined => {
  const outline = createJsonOutline({ valueBytesMax: 0 })
  outline.push(body)
  const range = outline.rangeOf('stream_options')
  if (range === undefined) return undefined
  if (options === null) return spliced(body, range.start, range.start + 'null'.length, `{${wanted}}`)
  const open = range.start + 1
  return spliced(body, open, open, Object.keys(options).length === 0 ? wanted : `${wanted},`)
}

const spliced = (body: Buffer, from: number, to: number, text: string): readonly Buffer[] => [
  body.subarray(0, from),
  Buffer.from(text),
  body.subarray(to),
]
