import type { Refusal } from '../core/budget.ts'
import { createAnswerWatch, isAbort, requestIdOf } from './answer.ts'
import type { Attempts } from './attempts.ts'
import { chainOf } from './budget-exceeded-error.ts'
import { type Call, createCall } from './call.ts'
import type { CallGate, Passed } from './call-gate.ts'
import type { LazyRecogniser } from './lazy-recogniser.ts'
import { type BodyWatch, createMeteredBody } from './metered-body.ts'
import { meteredResponseOf } from './metered-response.ts'
import { estimatedTokens, promptBytesOf } from './prompt.ts'
import type { Recognised } from './recognise.ts'
import { refusedResponse } from './refusal.ts'
import { type FetchInput, headerOf, type ReadBody, type RequestLine, readBody, requestLineOf } from './request.ts'
import { withParents } from './run-state.ts'
import type { Runs } from './runs.ts'
import type { Warn } from './warning.ts'

export type Fetch = typeof globalThis.fetch

export interface MeterParts {
  /** The fetch beneath; asked for at every call, so that a later replacement of the global one is honoured. */
  readonly base: () => Fetch
  readonly recogniser: LazyRecogniser
  readonly runs: Runs
  readonly gate: CallGate
  readonly attempts: Attempts
  readonly promptHash: (prompt: string) => string | undefined
  readonly nextId: () => string
  readonly now: () => number
  readonly warn: Warn
}

export interface MeterStats {
  /** Model calls that were metered. */
  readonly metered: number
  /** Requests that looked like model calls and could not be metered. */
  readonly unmetered: number
  /** Calls that a budget refused before they were sent. */
  readonly refused: number
  /** Metered calls whose answer is not over. */
  readonly open: number
  /** Times that metering itself failed; the calls went on. */
  readonly failed: number
}

export interface Meter {
  readonly fetch: Fetch
  stats(): MeterStats
  /** Ends the calls whose answers nobody reads any more. */
  endOpenCalls(): void
}

interface Seen extends Recognised {
  readonly line: RequestLine
  readonly body: ReadBody | undefined
  /** The request leaves no doubt that a model is asked; otherwise the answer has to look like a model's. */
  readonly isCertain: boolean
}

/** Open calls that are remembered, so that closing the tracker can end them. */
export const openCallsMax = 10_000

/**
 * A fetch that meters model calls and lets everything else pass untouched. Whatever fails in here is counted, and the call goes
 * on as if it were not metered.
 */
export const createMeter = (parts: MeterParts): Meter => {
  const stats = { metered: 0, unmetered: 0, refused: 0, failed: 0 }
  const open = new Map<Call, BodyWatch | undefined>()
  const abandon = (call: Call): void => {
    const watch = open.get(call)
    if (watch === undefined) call.end({ status: 'aborted' })
    else watch.cancel()
  }
  // A body that its reader lets go of (@google/genai after a break) ends its call when it is collected; neither the call nor its
  // watch holds it. The body and not the response: clients keep reading the one long after they have forgotten the other.
  const dropped = new FinalizationRegistry<Call>(abandon)

  const safely = <Result>(work: () => Result): Result | undefined => {
    try {
      return work()
    } catch (error) {
      stats.failed += 1
      parts.warn('metering-failed', `A call could not be metered: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }

  const seenOf = (input: FetchInput, init: RequestInit | undefined): Seen | undefined => {
    const line = requestLineOf(input, init)
    const recognised = line && parts.recogniser.find(line.url)
    if (line === undefined || recognised === undefined) return undefined
    const body = readBody(init, recognised.dialect, line.url.pathname)
    const isCertain = recognised.isKnownHost || (body?.report.model !== undefined && body.prompt !== undefined)
    return { ...recognised, line, body, isCertain }
  }

  const begin = (seen: Seen, passed: Passed | undefined): Call => {
    const { body } = seen
    const scope = parts.runs.scope()
    const promptHash = body?.prompt === undefined ? undefined : parts.promptHash(body.prompt)
    const attemptKey = promptHash === undefined ? undefined : `${body?.report.model} ${promptHash}`
    const attempt = parts.attempts.next(attemptKey, headerOf(seen.line.headers, 'x-stainless-retry-count'))
    const facts = {
      id: passed?.id ?? parts.nextId(),
      at: parts.now(),
      scope,
      provider: seen.provider,
      requestedModel: body?.report.model,
      operation: body?.report.operation,
      attempt,
      promptHash,
    }
    const forgotten = (): void => {
      open.delete(call)
      passed?.settle(undefined)
    }
    const call = createCall(
      facts,
      (events, status) => {
        open.delete(call)
        stats.metered += 1
        parts.attempts.ended(attemptKey, attempt, status === 'error')
        for (const run of withParents(scope.run)) run.lastModelCall = status
        events.forEach((event, index) => {
          parts.runs.record(scope.run, event, index === 0 ? passed?.settle : undefined)
        })
      },
      forgotten,
    )
    if (open.size < openCallsMax) open.set(call, undefined)
    return call
  }

  /** The init with the wish for usage in it, where the stream would not tell it otherwise. */
  const askingForUsage = (seen: Seen, init: RequestInit | undefined): RequestInit | undefined => {
    if (seen.streamUsage === undefined || seen.body === undefined) return undefined
    // A length that the caller counted would no longer be right.
    if (headerOf(seen.line.headers, 'content-length') !== undefined) return undefined
    const { text: sent, json } = seen.body
    const splice = seen.streamUsage.wishOf(sent, json)
    if (splice === undefined) return undefined
    const text = sent.slice(0, splice.start) + splice.text + sent.slice(splice.end)
    return { ...init, body: typeof init?.body === 'string' ? text : new TextEncoder().encode(text) }
  }

  const meterAnswer = (response: Response, call: Call, seen: Seen, wasAsked: boolean): Response => {
    const { body } = seen
    if (!response.ok || response.body === null) {
      // An answer that failed says no usage, and clients that try again drop it unread: its status is all that is sure.
      const failure = response.ok ? undefined : String(response.status)
      if (seen.isCertain)
        call.end({ status: failure === undefined ? 'ok' : 'error', error: failure, requestId: requestIdOf(response.headers) })
      else call.forget()
      return response
    }
    const watch = createAnswerWatch(response, call, {
      dialect: seen.dialect,
      provider: seen.provider,
      withHeaders: seen.withHeaders,
      isStream: body?.report.isStream,
      isCertain: seen.isCertain,
      inputEstimate: body?.prompt === undefined || !body.report.isStream ? undefined : estimatedTokens(promptBytesOf(body.prompt)),
      signal: seen.line.signal,
    })
    const original = response as Response & { readonly body: ReadableStream<Uint8Array> }
    const safeWatch = safe(watch, safely)
    const stream = createMeteredBody(original, safeWatch, wasAsked ? seen.streamUsage?.createFilter({ nulls: true }) : undefined)
    const metered = meteredResponseOf(response, stream)
    if (metered !== undefined) {
      if (open.has(call)) open.set(call, safeWatch)
      dropped.register(stream, call)
      return metered
    }
    stats.unmetered += 1
    parts.warn('unmetered-call', `A response of class ${response.constructor?.name} cannot be watched; its call is not metered.`)
    call.forget()
    return response
  }

  const send = async (seen: Seen, input: FetchInput, init: RequestInit | undefined, passed: Passed | undefined): Promise<Response> => {
    const call = safely(() => begin(seen, passed))
    const asking = safely(() => askingForUsage(seen, init))
    let response: Response
    try {
      response = await parts.base()(input, asking ?? init)
    } catch (error) {
      if (seen.isCertain) call?.end(isAbort(error, seen.line) ? { status: 'aborted' } : { status: 'error', error: networkCodeOf(error) })
      else call?.forget()
      throw error
    }
    return call === undefined ? response : (safely(() => meterAnswer(response, call, seen, asking !== undefined)) ?? response)
  }

  const refuse = (refusal: Refusal, seen: Seen): Response => {
    stats.refused += 1
    return refusedResponse(refusal, seen.dialect, seen.line.url.href)
  }

  const gated = async (seen: Seen, input: FetchInput, init: RequestInit | undefined): Promise<Response> => {
    const answer = await parts.gate.pass(seen, parts.runs.scope())
    return answer !== undefined && 'refusal' in answer ? refuse(answer.refusal, seen) : send(seen, input, init, answer)
  }

  const meter = (input: FetchInput, init: RequestInit | undefined): Promise<Response> => {
    const seen = safely(() => seenOf(input, init))
    if (seen === undefined) return parts.base()(input, init)
    return parts.gate.isNeeded(parts.runs.scope()) ? gated(seen, input, init) : send(seen, input, init, undefined)
  }

  const fetch: Fetch = (input: FetchInput, init?: RequestInit) => {
    const { loading } = parts.recogniser
    if (loading === undefined || requestLineOf(input, init) === undefined) return meter(input, init)
    return loading.then(() => meter(input, init))
  }

  return {
    fetch,
    stats: () => ({ ...stats, open: open.size }),
    endOpenCalls() {
      for (const call of [...open.keys()]) abandon(call)
    },
  }
}

/** The platform's name of what broke ("ECONNREFUSED"), which fetch keeps in the cause. */
const networkCodeOf = (error: unknown): string => {
  for (const each of chainOf(error))
    if ('code' in each && typeof each.code === 'string' && /^[A-Z_\d]{1,64}$/.test(each.code)) return each.code
  return 'connection-failed'
}

/** The watch with each of its parts kept from failing into the caller's stream. */
const safe = (watch: BodyWatch, safely: <Result>(work: () => Result) => Result | undefined): BodyWatch => ({
  see: (chunk) => safely(() => watch.see(chunk)),
  end: () => safely(() => watch.end()),
  fail: (error) => safely(() => watch.fail(error)),
  cancel: () => safely(() => watch.cancel()),
})
