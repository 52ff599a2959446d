import { chargeOf } from '../src/core/charge.ts'
import type { CallEntry, Entry, ModelCall, RunRecord, ToolCall } from '../src/core/event.ts'
import { picoUsd } from '../src/core/money.ts'
import { createPriceBook } from '../src/core/price-book.ts'
import type { Usage } from '../src/core/usage.ts'
import type { Store } from '../src/ledger/store.ts'

/** A fleet's calls in order of time: 20 models, 50 agents, 30 tasks, 5 releases, a run per hundred calls, runs of about ten minutes. */
export interface FleetOptions {
  readonly calls: number
  readonly from: number
  readonly days: number
  readonly seed?: number
}

const models = Array.from({ length: 20 }, (_, index) => `model-${index}`)
const providers = ['openai', 'anthropic', 'google', 'groq']
const tools = ['web-search', 'database', 'mail', 'browser', 'calendar']
const callsPerRun = 100
const runMs = 10 * 60_000
const dayMs = 86_400_000

export const fleetBook = createPriceBook({
  version: '2026-11-22',
  providers: Object.fromEntries(
    providers.map((provider) => [
      provider,
      {
        name: provider,
        models: Object.fromEntries(
          models.map((model, index) => [
            model,
            { periods: [{ rates: { input: `${index + 1}.25`, cache_read: `0.${index + 1}25`, output: `${4 * index + 5}` } }] },
          ]),
        ),
      },
    ]),
  ),
})

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Numbers that are the same in every run of the bench. */
const createRandom = (seed: number) => {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    letters: (length: number): string => Array.from({ length }, () => alphabet[Math.floor(next() * alphabet.length)]).join(''),
    below: (end: number): number => Math.floor(next() * end),
    hex: (): string =>
      Math.floor(next() * 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
  }
}

type Random = ReturnType<typeof createRandom>

interface Lane {
  run: string
  session: string
  agent: string
  task: string
  release: string
  user: string
  left: number
}

export function* fleet({ calls, from, days, seed = 1 }: FleetOptions): Generator<Entry> {
  const random = createRandom(seed)
  const stepMs = (days * dayMs) / calls
  const lanes: Lane[] = Array.from({ length: Math.max(1, Math.round(runMs / stepMs / callsPerRun)) }, () => newLane(random))
  for (let index = 0; index < calls; index++) {
    const at = Math.floor(from + index * stepMs)
    const place = random.below(lanes.length)
    const lane = lanes[place] as Lane
    if (lane.left === callsPerRun) yield record(lane, 'start', at, random)
    yield random.below(10) < 8 ? modelCall(lane, at, random) : toolCall(lane, at, random)
    lane.left -= 1
    if (lane.left > 0) continue
    yield record(lane, 'end', at, random)
    lanes[place] = newLane(random)
  }
}

const newLane = (random: Random): Lane => ({
  run: `run-${random.hex()}${random.hex()}`,
  session: `session-${random.hex()}`,
  agent: `agent-${random.below(50)}`,
  task: `task-${random.below(30)}`,
  release: `2026-11-${10 + random.below(5)}`,
  user: `user-${random.below(2_000)}`,
  left: callsPerRun,
})

const idOf = (at: number, random: Random): string => {
  const time = at.toString(16).padStart(12, '0')
  const tail = random.hex() + random.hex() + random.hex()
  return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(0, 3)}-8${tail.slice(3, 6)}-${tail.slice(6, 18)}`
}

const attributionOf = ({ left: _, ...lane }: Lane) => ({
  ...lane,
  environment: 'prod',
  team: `team-${lane.agent.length}`,
  tags: { plan: 'pro' },
})

const modelCall = (lane: Lane, at: number, random: Random): CallEntry => {
  const model = random.below(models.length)
  // A model is one provider's.
  const provider = providers[model % providers.length] as string
  const usage: Usage = {
    input: 200 + random.below(4_000),
    ...(random.below(2) === 0 && { cache_read: 64 * (1 + random.below(40)) }),
    output: 20 + random.below(600),
    ...(random.below(5) === 0 && { reasoning: 64 * (1 + random.below(10)) }),
  }
  const event: ModelCall = {
    ...attributionOf(lane),
    id: idOf(at, random),
    at,
    source: 'sdk',
    kind: 'llm',
    provider,
    model: models[model] as string,
    operation: 'chat',
    usage,
    quality: 'complete',
    status: random.below(30) === 0 ? 'error' : 'ok',
    attempt: random.below(50) === 0 ? 1 : 0,
    durationMs: 200 + random.below(8_000),
    firstByteMs: 100 + random.below(400),
    promptHash: random.hex() + random.hex() + random.hex() + random.hex(),
    callKey: `${provider}:chatcmpl-${random.letters(29)}`,
  }
  return { event, charge: chargeOf(usage, event, at, fleetBook) }
}

const toolCall = (lane: Lane, at: number, random: Random): CallEntry => {
  const cost = picoUsd(BigInt(1 + random.below(20)) * 1_000_000_000n)
  const event: ToolCall = {
    ...attributionOf(lane),
    id: idOf(at, random),
    at,
    source: 'sdk',
    kind: 'tool',
    tool: tools[random.below(5)] as string,
    cost,
    status: 'ok',
    attempt: 0,
    durationMs: 20 + random.below(900),
  }
  return { event, charge: { basis: 'computed', total: cost, lines: [] } }
}

const record = (lane: Lane, phase: 'start' | 'end', at: number, random: Random): Entry => {
  const event: RunRecord = {
    ...attributionOf(lane),
    id: idOf(at, random),
    at,
    source: 'sdk',
    kind: 'run',
    phase,
    ...(phase === 'end' && { status: 'ok', stopReason: random.below(10) === 0 ? 'max_steps' : 'completed' }),
  }
  return { event }
}

export const batchRows = 1_000
const batchesUnderWay = 16

/** In batches of a thousand, some of them under way at once as they are from a server. */
export const appendAll = async (store: Store, entries: Iterable<Entry>): Promise<void> => {
  const underWay = new Set<Promise<unknown>>()
  let batch: Entry[] = []
  const send = async (): Promise<void> => {
    const appended: Promise<unknown> = store.append(batch).finally(() => underWay.delete(appended))
    underWay.add(appended)
    batch = []
    if (underWay.size >= batchesUnderWay) await Promise.race(underWay)
  }
  for (const entry of entries) {
    batch.push(entry)
    if (batch.length === batchRows) await send()
  }
  if (batch.length > 0) await send()
  await Promise.all(underWay)
}
