import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'vitest'
import { type EventJson, TokenTracker, type Warning } from '../../src/index.ts'
import { createPlayback, type PlayedRequest, type Routes } from '../../src/testing.ts'

/** Where a scenario's client sends its requests, and with which fetch. */
export interface Place {
  readonly url: string
  readonly fetch: typeof globalThis.fetch
  readonly tracker: TokenTracker
}

export interface Observed {
  /** What the scenario returned, the same with and without a meter. */
  readonly seen: unknown
  /** The events that the meter recorded, model calls only. */
  readonly events: readonly EventJson[]
  /** What the provider got from the metered client. */
  readonly requests: readonly PlayedRequest[]
  readonly warnings: readonly Warning[]
}

export interface ObserveOptions {
  /** Whose host the playback stands for. */
  readonly provider?: string
  /** `global`: the client takes no fetch, so that the global one is patched. */
  readonly through?: 'option' | 'global'
}

type Scenario = (place: Place) => Promise<unknown>

/** Plays a scenario without a meter and with one, each against a provider of its own, and demands that both saw the same. */
export const observe = async (routes: () => Routes, scenario: Scenario, options: ObserveOptions = {}): Promise<Observed> => {
  const plain = await play(routes(), scenario, options, false)
  const metered = await play(routes(), scenario, options, true)
  expect(metered.seen).toEqual(plain.seen)
  expect(plain.events).toEqual([])
  expect(metered.failed).toBe(0)
  // Equal but for what we add to the request of a stream and take out of its answer again.
  expect(metered.requests.map(withoutStreamOptions)).toEqual(plain.requests.map(withoutStreamOptions))
  return metered
}

const play = async (routes: Routes, scenario: Scenario, options: ObserveOptions, isMetered: boolean) => {
  const events: EventJson[] = []
  const warnings: Warning[] = []
  const playback = createPlayback(routes, { name: 'played', now: () => Date.UTC(2026, 10, 22) })
  const url = await playback.listen()
  const tracker = new TokenTracker({
    agent: 'observed',
    hosts: options.provider === undefined ? {} : { [new URL(url).host]: options.provider },
    sender: collectingSender(events),
    onWarning: (warning) => warnings.push(warning),
  })
  const undo = isMetered && options.through === 'global' ? tracker.patchGlobalFetch() : () => undefined
  try {
    const seen = await scenario({ url, fetch: isMetered && options.through !== 'global' ? tracker.fetch : globalThis.fetch, tracker })
    undo()
    await untilAllEnded(tracker)
    await tracker.flush()
    return {
      seen: JSON.parse(JSON.stringify(seen ?? null).replaceAll(url, 'http://played')) as unknown,
      events: events.filter((event) => event.kind === 'llm'),
      requests: playback.requests,
      warnings,
      failed: tracker.stats().failed,
    }
  } finally {
    undo()
    await tracker.close()
    await playback.close()
  }
}

const collectGarbage = (): void => {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

/** Whatever a client left open ends without the tracker being closed: at once, or, where it let go of a body without a word, when that is collected. */
const untilAllEnded = async (tracker: TokenTracker): Promise<void> => {
  for (let turn = 0; turn < 100 && tracker.stats().open > 0; turn++) {
    collectGarbage()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(tracker.stats().open).toBe(0)
}

export const collectingSender = (events: EventJson[], costUsd = '0.01') => ({
  async send(batch: readonly EventJson[]) {
    events.push(...batch)
    return batch.map((event) => ({
      id: event.id,
      outcome: 'accepted' as const,
      ...(event.kind !== 'run' && { costUsd, basis: 'computed' }),
    }))
  },
  async close() {},
})

const withoutStreamOptions = ({ method, path, query, body, headers }: PlayedRequest) => {
  const { stream_options: _, ...rest } = body
  const { 'content-length': _length, host: _host, ...others } = headers
  return { method, path, query, body: rest, headers: others }
}

/** What a caller can tell of an error. */
export const seenError = (error: unknown): object => {
  if (!(error instanceof Error)) return { thrown: error }
  const { status, code, type, statusCode } = error as Error & { status?: unknown; code?: unknown; type?: unknown; statusCode?: unknown }
  return {
    class: error.constructor.name,
    name: error.name,
    message: error.message,
    ...(status !== undefined && { status }),
    ...(statusCode !== undefined && { statusCode }),
    ...(code !== undefined && { code }),
    ...(type !== undefined && { type }),
    ...(error.cause instanceof Error && { cause: error.cause.constructor.name }),
  }
}

export const caught = (work: () => unknown): Promise<object> =>
  Promise.resolve()
    .then(work)
    .then(() => ({ thrown: 'nothing' }), seenError)

/** Everything that a response shows besides its body. */
export const seenResponse = (response: Response): object => ({
  isResponse: response instanceof Response,
  status: response.status,
  statusText: response.statusText,
  ok: response.ok,
  url: response.url,
  type: response.type,
  redirected: response.redirected,
  bodyUsed: response.bodyUsed,
  headers: [...response.headers],
})

/** All of a stream, and how it ended. */
export const drained = async <Chunk>(stream: AsyncIterable<Chunk>, each: (chunk: Chunk) => unknown = (chunk) => chunk) => {
  const chunks: unknown[] = []
  const error = await caught(async () => {
    for await (const chunk of stream) chunks.push(each(chunk))
  })
  return { chunks, error }
}

export const taken = async <Chunk>(stream: AsyncIterable<Chunk>, count: number): Promise<readonly Chunk[]> => {
  const chunks: Chunk[] = []
  for await (const chunk of stream) {
    chunks.push(chunk)
    if (chunks.length === count) break
  }
  return chunks
}
