import type { EventJson } from '../../src/intake/event-json.ts'
import { createRandom, type Random } from '../browser/random.ts'

export const hourMs = 3_600_000
export const dayMs = 24 * hourMs

/** One kind of work: who does it, with what, how often in an ordinary hour of the day, and what a run of it is made of. */
export interface Work {
  readonly agent: string
  readonly task: string
  readonly model: string
  readonly runsPerHour: number
  readonly calls: number
  readonly prompt: number
  readonly output: number
  readonly tool?: string
}

export const works: readonly Work[] = [
  { agent: 'support', task: 'refund', model: 'large', runsPerHour: 7, calls: 4, prompt: 3_000, output: 350, tool: 'order-lookup' },
  { agent: 'support', task: 'order-status', model: 'large', runsPerHour: 9, calls: 3, prompt: 2_600, output: 250, tool: 'order-lookup' },
  { agent: 'reviewer', task: 'review', model: 'medium', runsPerHour: 4, calls: 5, prompt: 6_000, output: 700 },
  { agent: 'reviewer', task: 'summary', model: 'medium', runsPerHour: 3, calls: 2, prompt: 5_000, output: 500 },
  { agent: 'writer', task: 'draft', model: 'small', runsPerHour: 8, calls: 3, prompt: 4_000, output: 900, tool: 'search' },
]

/** What is different for runs that start at an instant. */
export interface Injection {
  readonly isIn: (work: Work, at: number) => boolean
  readonly traffic?: number
  readonly prompt?: number
}

export interface FleetPlan {
  readonly from: number
  readonly to: number
  readonly seed: number
  /** The release of an agent at an instant. */
  readonly releaseOf: (agent: string, at: number) => string
  readonly injections: readonly Injection[]
  /** Runs that send one prompt over and over. */
  readonly loops: readonly { readonly at: number; readonly task: string; readonly calls: number; readonly everyMs: number }[]
}

/** All events of a fleet in the order of time: busy by day, quiet at night and at weekends, every run a little different. */
export const fleetEvents = (plan: FleetPlan): readonly EventJson[] => {
  const random = createRandom(plan.seed)
  const events: EventJson[] = []
  const stepMs = 10 * 60_000
  for (let at = plan.from; at < plan.to; at += stepMs) {
    for (const work of works) {
      const injected = plan.injections.filter(({ isIn }) => isIn(work, at))
      const factor = injected.reduce((product, { traffic = 1 }) => product * traffic, 1)
      const expected = (work.runsPerHour / 6) * rhythm(at) * factor
      for (let count = poisson(random, expected); count > 0; count--) {
        const start = at + random.below(stepMs)
        const prompt = injected.reduce((product, each) => product * (each.prompt ?? 1), work.prompt)
        run(random, events, { ...work, prompt }, start, plan.releaseOf(work.agent, start))
      }
    }
  }
  for (const loop of plan.loops) addLoop(random, events, loop, plan)
  return events.filter(({ at }) => Number(at) < plan.to).sort((left, right) => Number(left.at) - Number(right.at))
}

/** From the busiest hour, 1, down to a tenth at night; less than half of it at weekends. */
const rhythm = (at: number): number => {
  const date = new Date(at)
  const hour = date.getUTCHours() + date.getUTCMinutes() / 60
  const isWeekend = date.getUTCDay() === 0 || date.getUTCDay() === 6
  return (isWeekend ? 0.4 : 1) * (0.1 + 0.9 * Math.exp(-((hour - 13) ** 2) / 18))
}

const poisson = (random: Random, expected: number): number => {
  let count = 0
  for (let left = random.next(); left > Math.exp(-expected); left *= random.next()) count += 1
  return count
}

const run = (random: Random, events: EventJson[], work: Work, start: number, release: string): void => {
  const common = { agent: work.agent, task: work.task, release, run: `run-${random.hex(12)}`, environment: 'production' }
  let at = start
  events.push({ ...common, id: random.uuid7(at), at, kind: 'run', phase: 'start' } as EventJson)
  const calls = Math.max(1, work.calls + random.below(3) - 1)
  for (let index = 0; index < calls; index++) {
    at += 2_000 + random.below(8_000)
    const attempts = random.next() < 0.03 ? 2 : 1
    for (let attempt = 0; attempt < attempts; attempt++) {
      events.push(call(random, common, work, at, attempt, attempt + 1 < attempts))
      at += 1_000
    }
    if (work.tool !== undefined && index === 0)
      events.push({
        ...common,
        id: random.uuid7(at),
        at,
        kind: 'tool',
        tool: work.tool,
        costUsd: '0.002',
        status: 'ok',
        durationMs: 90,
      } as EventJson)
  }
  events.push({
    ...common,
    id: random.uuid7(at + 500),
    at: at + 500,
    kind: 'run',
    phase: 'end',
    status: 'ok',
    stopReason: 'completed',
  } as EventJson)
}

const call = (random: Random, common: object, work: Work, at: number, attempt: number, hasFailed: boolean, promptHash = random.hex(32)) =>
  ({
    ...common,
    id: random.uuid7(at),
    at,
    kind: 'llm',
    provider: 'acme',
    model: work.model,
    usage: hasFailed
      ? { input: 0, output: 0 }
      : { input: Math.round(random.logNormal(work.prompt, 0.3)), output: Math.round(random.logNormal(work.output, 0.4)) },
    status: hasFailed ? 'error' : 'ok',
    durationMs: 400 + random.below(2_000),
    attempt,
    promptHash,
  }) as EventJson

const addLoop = (random: Random, events: EventJson[], loop: FleetPlan['loops'][number], plan: FleetPlan): void => {
  const work = works.find(({ task }) => task === loop.task)
  if (work === undefined) throw new Error(`No task ${loop.task}.`)
  const common = {
    agent: work.agent,
    task: work.task,
    release: plan.releaseOf(work.agent, loop.at),
    run: 'run-loop',
    environment: 'production',
  }
  const promptHash = random.hex(32)
  for (let index = 0; index < loop.calls; index++)
    events.push(call(random, common, work, loop.at + index * loop.everyMs, 0, false, promptHash))
}
