import type { StreamReader, UsageReport } from '../providers/dialect.ts'
import type { Call, Ending } from './call.ts'
import type { BodyWatch } from './metered-body.ts'
import type { Recognised } from './recognise.ts'

/** A whole answer longer than this is passed on unread; its usage is then missing and flagged. */
export const answerBytesMax = 16 * 1024 * 1024
/** A stream is no longer watched past this: the call then ends with what was seen, and its bytes go on. */
export const streamBytesMax = 256 * 1024 * 1024

export interface AnswerContext extends Pick<Recognised, 'dialect' | 'provider' | 'withHeaders'> {
  readonly isStream: boolean | undefined
  /** The request left no doubt that a model was asked; otherwise the answer must look like one. */
  readonly isCertain: boolean
  /** Of the prompt, for streams that end without telling. */
  readonly inputEstimate: number | undefined
  readonly signal: AbortSignal | undefined
  readonly limits?: { readonly answerBytesMax: number; readonly streamBytesMax: number }
}

/** Reads a good answer as its bytes go by, and ends the call with what it told. */
export const createAnswerWatch = (response: Response, call: Call, context: AnswerContext): BodyWatch => {
  const requestId = requestIdOf(response.headers)
  const end = (ending: Ending): void => {
    const report = ending.report && context.withHeaders(ending.report, (name) => response.headers.get(name))
    call.end({ ...ending, report, requestId })
  }
  const watch = isStreamed(response, context) ? watchStream(call, context, end) : watchBody(call, context, end)
  return {
    see(chunk) {
      call.sawFirstByte()
      if (!call.isOver) watch.see(chunk)
    },
    end: () => {
      if (!call.isOver) watch.end()
    },
    fail: (error) => {
      if (!call.isOver) watch.fail(error)
    },
    cancel: () => {
      if (!call.isOver) watch.cancel()
    },
  }
}

/** The id that a provider gives to a request, where the answer has none of its own. */
export const requestIdOf = (headers: Headers): string | undefined => {
  for (const name of ['x-request-id', 'request-id', 'apim-request-id', 'x-goog-request-id']) {
    const value = headers.get(name)
    if (value !== null && value !== '') return value
  }
  return undefined
}

/** By what the server says it sends; by what was asked for where it says nothing useful. */
const isStreamed = (response: Response, context: AnswerContext): boolean => {
  const type = response.headers.get('content-type')?.toLowerCase() ?? ''
  if (/event-?stream|ndjson|jsonl|stream\+json/.test(type)) return true
  if (type.includes('html')) return false
  return context.isStream ?? false
}

const watchStream = (call: Call, context: AnswerContext, end: (ending: Ending) => void): BodyWatch => {
  const reader: StreamReader = context.dialect.createReader({
    provider: context.provider,
    ...(context.inputEstimate !== undefined && { inputEstimate: context.inputEstimate }),
  })
  const bytesMax = context.limits?.streamBytesMax ?? streamBytesMax
  let bytes = 0

  const finish = (how: StreamEnd): void => {
    const report = reader.end()
    if (!context.isCertain && isUnlikely(report)) call.forget()
    else end(endingOfStream(report, how))
  }

  return {
    see(chunk) {
      bytes += chunk.byteLength
      reader.push(chunk)
      if (reader.isDone) finish('done')
      else if (bytes > bytesMax) finish('limit')
    },
    end: () => finish('ended'),
    fail: (error) => finish(isAbort(error, context) ? 'aborted' : 'broken'),
    cancel: () => finish('cancelled'),
  }
}

const watchBody = (call: Call, context: AnswerContext, end: (ending: Ending) => void): BodyWatch => {
  const decoder = new TextDecoder()
  const bytesMax = context.limits?.answerBytesMax ?? answerBytesMax
  let bytes = 0
  let text = ''

  const unread = (ending: Ending): void => {
    if (context.isCertain) end(ending)
    else call.forget()
  }

  return {
    see(chunk) {
      bytes += chunk.byteLength
      if (bytes <= bytesMax) text += decoder.decode(chunk, { stream: true })
      else text = ''
    },
    end() {
      const body = bytes > bytesMax ? undefined : parsed(text + decoder.decode())
      if (bytes > bytesMax) unread({ status: 'ok', flags: ['stream-limit'] })
      else if (body === undefined) unread({ status: 'error', error: 'unreadable-answer' })
      else if (!context.isCertain && !context.dialect.matchesBody(body)) call.forget()
      else {
        const report = context.dialect.ofBody(body, { provider: context.provider })
        end({ status: report.error === undefined ? 'ok' : 'error', error: report.error, report })
      }
    },
    fail: (error) =>
      unread(isAbort(error, context) ? { status: 'aborted' } : { status: 'error', error: 'connection-lost', flags: ['truncated-stream'] }),
    cancel: () => unread({ status: 'aborted' }),
  }
}

type StreamEnd = 'done' | 'ended' | 'limit' | 'cancelled' | 'aborted' | 'broken'

const endingOfStream = (report: UsageReport, how: StreamEnd): Ending => {
  if (report.error !== undefined) return { status: 'error', error: report.error, report }
  if (how === 'broken') return { status: 'error', error: 'connection-lost', report }
  if (how === 'cancelled' || how === 'aborted') return { status: 'aborted', report }
  if (how === 'limit') return { status: 'ok', report, flags: ['stream-limit'] }
  // The server closed in good order but before the end that its dialect has.
  if (how === 'ended' && report.flags.includes('truncated-stream')) return { status: 'error', error: 'truncated-stream', report }
  return { status: 'ok', report }
}

const parsed = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const body: unknown = JSON.parse(text)
    const first: unknown = Array.isArray(body) ? body[0] : body
    return typeof first === 'object' && first !== null && !Array.isArray(first) ? (first as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

const isUnlikely = (report: UsageReport): boolean =>
  report.quality === 'missing' && report.model === undefined && report.responseId === undefined

export const isAbort = (error: unknown, context: { readonly signal: AbortSignal | undefined }): boolean =>
  context.signal?.aborted === true || (typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError')
