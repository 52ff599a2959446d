import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { TokenTracker } from '../src/index.ts'
import { createPlayback, playChat } from '../src/testing.ts'

export interface SdkResult {
  /** Medians of one call each, in microseconds, the two kinds in turns. */
  readonly unmeteredUs: number
  readonly meteredUs: number
  /** What metering adds to the median, and to the mean, in which the sending of the events is. */
  readonly costUs: number
  readonly meanCostUs: number
  /** A request that is no model call, through a metered fetch that never reaches the network. */
  readonly passThroughUs: number
  readonly limitUs: number
  readonly answerBytes: number
}

const limitUs = 150
const rounds = 3_000
const warmUp = 500

const request: RequestInit = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    model: 'gpt-4.1-mini',
    messages: [
      { role: 'system', content: 'You answer in one sentence and never say more than you were asked. '.repeat(8) },
      { role: 'user', content: 'How much is it?' },
    ],
  }),
}

/** Bench (c): a call through `tracker.fetch` − the same call through the fetch beneath it, both to a server in another process. */
export const benchSdk = async (): Promise<SdkResult> => {
  const { child, url } = await startUpstream()
  const tracker = new TokenTracker({ url, agent: 'bench', release: 'bench' })
  try {
    const address = `${url}/v1/chat/completions`
    const call = async (through: typeof fetch): Promise<number> => {
      const start = performance.now()
      await (await through(address, request)).json()
      return (performance.now() - start) * 1_000
    }
    const answerBytes = (await (await fetch(address, request)).arrayBuffer()).byteLength
    const unmetered: number[] = []
    const metered: number[] = []
    for (let round = 0; round < warmUp + rounds; round++) {
      // The one that goes first finds colder caches: they take turns at that too.
      const kinds = round % 2 === 0 ? [false, true] : [true, false]
      for (const isMetered of kinds) {
        const us = await call(isMetered ? tracker.fetch : fetch)
        if (round >= warmUp) (isMetered ? metered : unmetered).push(us)
      }
    }
    await tracker.flush()
    const stats = tracker.stats()
    if (stats.sent !== warmUp + rounds || stats.failed > 0) throw new Error(`Not every call was metered: ${JSON.stringify(stats)}`)
    return {
      unmeteredUs: median(unmetered),
      meteredUs: median(metered),
      costUs: median(metered) - median(unmetered),
      meanCostUs: mean(metered) - mean(unmetered),
      passThroughUs: await measurePassThrough(),
      limitUs,
      answerBytes,
    }
  } finally {
    await tracker.close()
    child.kill()
  }
}

/** What every other request of a patched process pays. */
const measurePassThrough = async (): Promise<number> => {
  const answer = Promise.resolve(new Response(null))
  const tracker = new TokenTracker({ fetch: () => answer })
  await tracker.fetch('https://example.com/', { method: 'POST' })
  const count = 200_000
  const time = (through: typeof fetch): number => {
    const start = performance.now()
    for (let index = 0; index < count; index++) void through('https://example.com/api/orders', request)
    return ((performance.now() - start) * 1_000) / count
  }
  time(tracker.fetch)
  const bare: typeof fetch = () => answer
  const us = time(tracker.fetch) - time(bare)
  await tracker.close()
  return us
}

const median = (values: readonly number[]): number => values.toSorted((left, right) => left - right)[values.length >> 1] ?? Number.NaN
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

const startUpstream = async (): Promise<{ readonly child: ChildProcess; readonly url: string }> => {
  const child = fork(import.meta.filename, ['upstream'])
  const [url] = (await once(child, 'message')) as [string]
  return { child, url }
}

if (process.argv[1] === import.meta.filename) {
  if (process.argv[2] === 'upstream') {
    const playback = createPlayback({
      'POST /v1/chat/completions': playChat({ text: 'It costs five dollars. '.repeat(15) }),
      'POST /v1/events': ({ body }) => ({
        body: JSON.stringify({
          results: (body as unknown as { id: string }[]).map(({ id }) => ({ id, outcome: 'accepted', costUsd: '0.0001' })),
        }),
      }),
    })
    process.send?.(await playback.listen())
  } else console.log(await benchSdk())
}
