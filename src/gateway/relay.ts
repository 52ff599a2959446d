import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import type { UsageFlag } from '../core/usage.ts'
import { withHeaders } from '../providers/answer-headers.ts'
import type { UsageReport } from '../providers/dialect.ts'
import { createUsageFilter } from '../providers/stream-usage.ts'
import { type AnswerMeter, createBlindMeter, createDecodingMeter, createOutlineMeter, createStreamMeter } from './answer-meter.ts'
import { answerHeld, endClient, failClient, passToClient, stopTimer, watchClient, writeHead } from './client-side.ts'
import { codingOf } from './decoder.ts'
import { abandon, type Exchange, type MeteredCall, meterFailed, record, safely, type Told } from './exchange.ts'
import { createHeldAnswer, type HeldAnswer } from './held-answer.ts'
import { asksForTrailer, type Relay, type Trailers } from './relay-state.ts'
import { likelyTokens } from './request-body.ts'
import { failureOf } from './upstream-failure.ts'

/** Takes the answer to the client at the pace of the slower of the two, and reads its usage on the way. */
export const createRelay = (x: Exchange): Dispatcher.DispatchHandler => {
  const relay: Relay = {
    x,
    controller: undefined,
    status: 0,
    statusText: '',
    headers: {},
    held: undefined,
    meter: undefined,
    filter: undefined,
    hasWritten: false,
    isPaused: false,
    isEnded: false,
    drainedBytes: 0,
    timer: undefined,
  }
  watchClient(relay)
  return {
    onRequestStart(controller) {
      relay.controller = controller
      if (x.isClientGone) return controller.abort(new Error('client left'))
      if (x.call !== undefined) x.call.isSent = true
    },
    onResponseStart(_controller, status, headers, statusText) {
      // What comes before the answer itself (103 Early Hints) is between the upstream and us.
      if (status < 200) return
      relay.status = status
      relay.statusText = statusText ?? ''
      relay.headers = headers
      startAnswer(relay)
    },
    onResponseData(_controller, chunk) {
      x.firstByteAt ??= x.shop.now()
      x.shop.counters.bytesDown += chunk.length
      if (relay.held !== undefined) hold(relay, relay.held, chunk)
      else pass(relay, chunk)
    },
    onResponseEnd(_controller, trailers) {
      relay.isEnded = true
      endAnswer(relay, trailersOf(trailers))
    },
    onResponseError(_controller, error) {
      relay.isEnded = true
      failAnswer(relay, error)
    },
  }
}

const streamTypes = /event-?stream|ndjson|jsonl|stream\+json/

const startAnswer = (relay: Relay): void => {
  const { x, headers, status } = relay
  const { call } = x
  if (call === undefined) {
    startPassing(relay)
    return
  }
  const type = String(headers['content-type'] ?? '').toLowerCase()
  const coding = codingOf(headers['content-encoding'] as string | undefined)
  const isGood = status < 300
  // A page of HTML is held like an answer, to be found unreadable.
  const isText = type === '' || type.includes('json') || type.startsWith('text/')
  if (coding === 'unreadable') relay.meter = createBlindMeter()
  else if (isGood && (streamTypes.test(type) || (call.asked.isStream && isText && !type.includes('html')))) {
    const context = { provider: x.route.upstream.provider, inputEstimate: likelyTokens(call.size) }
    relay.meter = createStreamMeter(call.dialect, context, x.shop.soon, () => streamDone(relay, call))
    if (coding === undefined && call.isUsageOurs) relay.filter = createUsageFilter()
  } else if (isText) {
    relay.held = createHeldAnswer(x, call, coding)
    return
  } else relay.meter = createBlindMeter()
  if (coding !== undefined && coding !== 'unreadable') relay.meter = createDecodingMeter(coding, relay.meter)
  startPassing(relay)
}

/** From here on bytes go on as they come; the head does not wait for the first of them. */
const startPassing = (relay: Relay): void => {
  writeHead(relay, undefined, undefined)
  queueMicrotask(() => {
    if (!relay.hasWritten && !relay.isEnded && !relay.x.isClientGone) relay.x.response.flushHeaders()
  })
}

const hold = (relay: Relay, held: HeldAnswer, chunk: Buffer): void => {
  if (held.push(chunk)) return
  const { x } = relay
  // Too long or too slow to be held: what there is goes on, and the rest is read as it passes.
  relay.held = undefined
  if (x.call !== undefined) {
    const meter = createOutlineMeter(x.call.dialect, { provider: x.route.upstream.provider })
    relay.meter = held.coding === undefined ? meter : createDecodingMeter(held.coding, meter)
  }
  startPassing(relay)
  for (const piece of held.release()) pass(relay, piece)
}

const pass = (relay: Relay, chunk: Buffer): void => {
  const { x, meter } = relay
  passToClient(relay, chunk)
  const { call } = x
  if (meter === undefined || call === undefined || call.isRecorded) return
  // As `safely`, without a closure for every chunk.
  try {
    meter.push(chunk)
  } catch (error) {
    meterFailed(x.shop, error)
  }
}

/** An answer is complete from its terminal marker on, whatever becomes of the connection after it. */
const streamDone = (relay: Relay, call: MeteredCall): void => {
  if (call.isRecorded || relay.isEnded || asksForTrailer(relay)) return
  endMeter(relay, (report, flags) => recordAnswer(relay, call, { report, flags }))
}

/** What the meter has read; nothing at all where there is no meter, or where reading failed. */
const endMeter = (relay: Relay, done: Parameters<AnswerMeter['end']>[0]): void => {
  const { meter, x } = relay
  if (meter === undefined) {
    done(undefined, [])
    return
  }
  const isRead = safely(x.shop, () => {
    meter.end(done)
    return true
  })
  if (isRead === undefined) done(undefined, ['malformed-chunk'])
}

const endAnswer = (relay: Relay, trailers: Trailers): void => {
  const { held, x } = relay
  const { call } = x
  if (call === undefined || call.isRecorded) {
    endClient(relay, trailers, undefined)
    return
  }
  if (held !== undefined) {
    x.shop.atEndOfTurn(() =>
      held.end((body, report, flags, error) => {
        const told = recordAnswer(relay, call, { report, flags, ...(error !== undefined && { error }) })
        answerHeld(relay, body, trailers, told)
      }),
    )
    return
  }
  const isLate = asksForTrailer(relay)
  endMeter(relay, (report, flags) => {
    const told = recordAnswer(relay, call, { report, flags })
    if (isLate) endClient(relay, trailers, told)
  })
  if (!isLate) endClient(relay, trailers, undefined)
}

/** The upstream broke off, or we did because the client had left. */
const failAnswer = (relay: Relay, cause: Error): void => {
  const { x } = relay
  const { call } = x
  stopTimer(relay)
  relay.held?.release()
  const failure = failureOf(cause, x.route.upstream.name)
  if (call !== undefined && !call.isSent && x.isClientGone) abandon(x, call)
  else if (call !== undefined && !call.isRecorded) {
    endMeter(relay, (report, flags) => recordAnswer(relay, call, { report, flags, broken: failure.code }))
  }
  failClient(relay, failure)
}

interface AnswerEnd {
  readonly report: UsageReport | undefined
  readonly flags: readonly UsageFlag[]
  /** The answer as a whole could not be read. */
  readonly error?: string
  /** Why there was no whole answer. */
  readonly broken?: string
}

const recordAnswer = (relay: Relay, call: MeteredCall, { report: read, flags, error, broken }: AnswerEnd): Told | undefined => {
  const { x, status } = relay
  const report = read && withHeaders(read, (name) => relay.headers[name])
  const base = { report, flags, requestId: requestIdOf(relay.headers) }
  if (status >= 300) return record(x, call, { ...base, status: 'error', error: codeOf(report?.error, status) })
  const told = report?.error ?? error
  if (told !== undefined) return record(x, call, { ...base, status: 'error', error: told })
  if (!isCut(report, flags, broken)) return record(x, call, { ...base, status: 'ok' })
  if (x.isClientGone) return record(x, call, { ...base, isCut: true, status: 'aborted' })
  return record(x, call, { ...base, isCut: true, status: 'error', error: broken ?? 'truncated-stream' })
}

/** A connection may break after the terminal marker, and the answer was whole; one that we cannot decode may be whole to its client. */
const isCut = (report: UsageReport | undefined, flags: readonly UsageFlag[], broken: string | undefined): boolean => {
  const isTruncated = report?.flags.includes('truncated-stream') === true || flags.includes('truncated-stream')
  return broken === undefined ? isTruncated && !flags.includes('malformed-chunk') : isTruncated || report === undefined
}

/** The provider's own code where it says more than the status does. */
const codeOf = (code: string | undefined, status: number): string => (code === undefined || code === 'error' ? String(status) : code)

/** The id that a provider gives to a request, where the answer has none of its own. */
const requestIdOf = (headers: IncomingHttpHeaders): string | undefined => {
  for (const name of ['x-request-id', 'request-id', 'apim-request-id', 'x-goog-request-id']) {
    const value = headers[name]
    if (typeof value === 'string' && value !== '') return value
  }
  return undefined
}

const notTrailers: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'trailer',
  'connection',
  'content-encoding',
  'content-type',
  'host',
])

const trailersOf = (sent: IncomingHttpHeaders): Trailers =>
  Object.entries(sent).flatMap(([name, value]) =>
    notTrailers.has(name) ? [] : [value ?? []].flat().map((each): readonly [string, string] => [name, each]),
  )
