import type { EventJson } from '../../src/intake/event-json.ts'
import { type AgentPlan, agentPlans, type ModelPlan, releaseAt, releasePlan, teamUsers, toolPlans } from './fleet-plan.ts'
import { createRandom, type Random } from './random.ts'

/**
 * A month of a company's agents, as the events that their clients would have sent: the same seed, the same month.
 *
 * It holds what a dashboard has to show: traffic by day and week, releases (the last one makes the prompts of `refund` longer), an
 * incident with a storm of retries, sub-runs, streams that were cut off, a tool without a price, a model that no book knows.
 */
export interface FleetOptions {
  /** The end of the month, UTC ms: the last event lies before it. */
  readonly now: number
  readonly days?: number
  readonly seed?: number
  /** How many runs an ordinary weekday has. */
  readonly runsPerDay?: number
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** The events from oldest to newest run, in batches as a client would send them. */
export function* fleetOf(options: FleetOptions, batchMax = 500): Generator<readonly EventJson[]> {
  const { now, days = 30, seed = 7, runsPerDay = 160 } = options
  const random = createRandom(seed)
  const incident = { from: now - 9 * dayMs - 3 * hourMs, to: now - 9 * dayMs + 2 * hourMs }
  let batch: EventJson[] = []
  for (const at of startsOf(random, now - days * dayMs, now, runsPerDay)) {
    const events = runOf({ random, at, now, isIncident: at >= incident.from && at < incident.to })
    for (const event of events) {
      batch.push(event)
      if (batch.length === batchMax) {
        yield batch
        batch = []
      }
    }
  }
  if (batch.length > 0) yield batch
}

/** Start times of runs: busy on weekday afternoons, quiet at night and at weekends. */
function* startsOf(random: Random, from: number, to: number, runsPerDay: number): Generator<number> {
  const stepMs = 10 * 60_000
  for (let at = from; at < to; at += stepMs) {
    const date = new Date(at)
    const hour = date.getUTCHours() + date.getUTCMinutes() / 60
    const weekend = date.getUTCDay() === 0 || date.getUTCDay() === 6 ? 0.45 : 1
    const daily = 0.35 + 1.3 * Math.exp(-((hour - 14) ** 2) / 30)
    const growth = 0.85 + (0.3 * (at - from)) / (to - from)
    const expected = (runsPerDay / 144) * weekend * daily * growth
    const count = Math.floor(expected + random.next())
    const starts = Array.from({ length: count }, () => at + Math.floor(random.next() * stepMs)).sort((left, right) => left - right)
    for (const start of starts) if (start < to) yield start
  }
}

interface RunContext {
  readonly random: Random
  readonly at: number
  readonly now: number
  readonly isIncident: boolean
}

interface Ride {
  readonly random: Random
  readonly common: Omit<EventJson, 'id' | 'at' | 'kind'>
  readonly agent: AgentPlan
  readonly promptFactor: number
  readonly failure: number
  readonly events: EventJson[]
  at: number
}

const runOf = ({ random, at, now, isIncident }: RunContext): readonly EventJson[] => {
  const agent = random.weighted(agentPlans)
  const task = random.weighted(agent.tasks)
  const release = releaseAt(agent.name, now - at)
  const session = `${agent.name}-${Math.floor(at / (6 * hourMs)).toString(36)}-${random.below(12)}`
  const ride: Ride = {
    random,
    agent,
    at,
    events: [],
    failure: isIncident ? 0.42 : 0.025,
    // The regression that a reader should find: the newest release of one agent sends far longer prompts for one task.
    promptFactor:
      release === releasePlan.regression.release && task.name === releasePlan.regression.task ? releasePlan.regression.factor : 1,
    common: {
      agent: agent.name,
      task: task.name,
      team: agent.team,
      release,
      session,
      run: `run_${random.hex(16)}`,
      user: random.pick(teamUsers(agent.team)),
      environment: random.next() < 0.9 ? 'production' : 'staging',
      tags: { plan: random.next() < 0.3 ? 'enterprise' : random.next() < 0.6 ? 'pro' : 'free' },
    },
  }
  start(ride)
  const steps = Math.max(1, Math.round(random.logNormal(task.steps, 0.5)))
  const stop = drive(ride, steps, task.subAgent)
  end(ride, stop)
  return ride.events.filter((event) => Number(event.at) < now)
}

const start = (ride: Ride, parent?: string): void => {
  ride.events.push({
    ...ride.common,
    id: idAt(ride),
    at: ride.at,
    kind: 'run',
    phase: 'start',
    budgetUsd: '2.50',
    ...(parent && { parent }),
  })
}

const end = (ride: Ride, stopReason: string): void => {
  const status = stopReason === 'completed' || stopReason === 'max_steps' ? 'ok' : stopReason === 'cancelled' ? 'cancelled' : 'error'
  // A few agents die without saying so: their runs stay open.
  if (ride.random.next() < 0.004) return
  ride.events.push({ ...ride.common, id: idAt(ride), at: ride.at, kind: 'run', phase: 'end', status, stopReason })
}

/** Steps of a run until it is done or something ends it early; answers with the stop reason. */
const drive = (ride: Ride, steps: number, subAgent: string | undefined): string => {
  const { random } = ride
  for (let step = 1; step <= steps; step += 1) {
    if (step > 24) return 'max_steps'
    const model = random.weighted(ride.agent.models)
    if (!callModel(ride, model, step)) return 'llm_error'
    const tool = random.next() < 0.62 ? random.pick(ride.agent.tools) : undefined
    if (tool !== undefined && !callTool(ride, tool, step)) return 'tool_error'
    if (subAgent !== undefined && step === 2) subRun(ride, subAgent)
    ride.at += 40 + random.below(900)
  }
  const last = random.next()
  return last < 0.945 ? 'completed' : last < 0.965 ? 'cancelled' : last < 0.985 ? 'step_error' : 'budget_exceeded'
}

/** One model call with its retries; false when it never answered. */
const callModel = (ride: Ride, model: ModelPlan, step: number): boolean => {
  const { random } = ride
  const prompt = Math.round(random.logNormal(ride.agent.prompt * ride.promptFactor * (1 + 0.22 * Math.min(step, 12)), 0.35))
  const cached = model.caches && step > 1 ? Math.round(prompt * (0.35 + 0.4 * random.next())) : 0
  const output = Math.max(8, Math.round(random.logNormal(ride.agent.completion, 0.6)))
  for (let attempt = 0; attempt < 4; attempt += 1) {
    const failed = random.next() < ride.failure
    const durationMs = failed ? 250 + random.below(900) : Math.round(random.logNormal(model.latencyMs, 0.4) + output * model.msPerToken)
    const id = idAt(ride)
    const aborted = !failed && random.next() < 0.006
    ride.events.push({
      ...ride.common,
      id,
      at: ride.at,
      kind: 'llm',
      step: `step-${step}`,
      provider: model.provider,
      model: model.model,
      operation: 'chat',
      durationMs,
      attempt,
      callKey: `${model.provider}:resp_${random.hex(20)}`,
      promptHash: promptHashOf(ride, step),
      ...(failed
        ? { status: 'error', error: ride.failure > 0.1 ? '429' : 'overloaded_error', usage: {} }
        : {
            status: aborted ? 'aborted' : 'ok',
            firstByteMs: Math.round(model.latencyMs * (0.5 + random.next())),
            ...(aborted ? { quality: 'estimated', flags: ['truncated-stream'] } : {}),
            usage: usageOf(model, prompt, cached, aborted ? Math.ceil(output / 3) : output),
          }),
    })
    ride.at += durationMs + (failed ? 300 * 2 ** attempt : 0)
    if (!failed) return true
  }
  return false
}

const usageOf = (model: ModelPlan, prompt: number, cached: number, output: number): Record<string, number> => {
  const reasoning = model.reasons ? Math.round(output * 0.6) : 0
  return {
    input: prompt - cached,
    ...(cached > 0 && { cache_read: cached }),
    output,
    ...(reasoning > 0 && { reasoning }),
  }
}

const callTool = (ride: Ride, name: string, step: number): boolean => {
  const { random } = ride
  const tool = toolPlans[name]
  const failed = random.next() < 0.012
  const durationMs = Math.round(random.logNormal(tool?.latencyMs ?? 200, 0.5))
  ride.events.push({
    ...ride.common,
    id: idAt(ride),
    at: ride.at,
    kind: 'tool',
    tool: name,
    step: `step-${step}`,
    status: failed ? 'error' : 'ok',
    durationMs,
    ...(failed && { error: 'timeout' }),
    ...(tool?.costUsd !== undefined && { costUsd: tool.costUsd }),
  })
  ride.at += durationMs
  return !failed || random.next() < 0.5
}

const subRun = (ride: Ride, agentName: string): void => {
  const agent = agentPlans.find((plan) => plan.name === agentName)
  if (agent === undefined || ride.common.run === undefined) return
  const task = ride.random.weighted(agent.tasks)
  const inner: Ride = {
    ...ride,
    agent,
    promptFactor: 1,
    events: ride.events,
    common: { ...ride.common, agent: agent.name, task: task.name, run: `run_${ride.random.hex(16)}` },
  }
  start(inner, ride.common.run)
  const stop = drive(inner, Math.max(1, Math.round(ride.random.logNormal(task.steps, 0.4))), undefined)
  end(inner, stop)
  ride.at = inner.at
}

/** Repeated prompts exist: the first step of a task often begins the same way. */
const promptHashOf = (ride: Ride, step: number): string =>
  step === 1 ? ride.random.hexOf(`${ride.common.task}${ride.random.below(40)}`, 32) : ride.random.hex(32)

const idAt = (ride: Ride): string => ride.random.uuid7(ride.at)
