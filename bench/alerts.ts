import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { evidenceOf, pace, startAlerting } from '../src/cli/alerting.ts'
import { createLog } from '../src/cli/log.ts'
import { loadConfig } from '../src/config/load-config.ts'
import type { Entry } from '../src/core/event.ts'
import { createAlerts } from '../src/guard/alerts/alerts.ts'
import { defaultRules } from '../src/guard/alerts/default-rules.ts'
import { parseRule, type Rule } from '../src/guard/alerts/rule.ts'
import type { EventJson } from '../src/intake/event-json.ts'
import { createIntake } from '../src/intake/intake.ts'
import { memoryAlerts } from '../src/ledger/alert-store.ts'
import { sqliteStore } from '../src/ledger/sqlite/sqlite-store.ts'
import type { Store } from '../src/ledger/store.ts'
import { appendAll, fleet, fleetBook } from './ledger-calls.ts'
import { keptLedger } from './views/kept-ledger.ts'

export interface AlertsFigures {
  readonly calls: number
  readonly rules: number
  /** Of a processor: what is learned once after a start. */
  readonly learningCpuMs: number
  /** Rounds at the pace of a server: the median one, the slowest, and what the median one takes of a processor. */
  readonly roundMs: number
  readonly slowestMs: number
  readonly roundCpuMs: number
  readonly roundMsLimit: number
  readonly roundsPerMinute: number
  /** Of one core, all threads together, what is learned between rounds included. */
  readonly coreShare: number
  readonly coreShareLimit: number
  /** Events a second with the default rules on ÷ without any, and the same of what a processor does for them: medians of pairs. */
  readonly ingest: number
  readonly ingestLimit: number
  readonly ingestWork: number
}

export interface AlertsBenchOptions {
  readonly calls?: number
  /** Simulated minutes of rounds. */
  readonly minutes?: number
  readonly pairs?: number
}

const dayMs = 86_400_000
const minuteMs = 60_000
const from = Date.UTC(2026, 9, 23)
const days = 30
const end = from + days * dayMs
const keptMin = 1_000_000

/** Rounds of 200 rules over a month of calls, at the pace of a server that takes calls as the month did; then ingest with and without rules. */
export const benchAlerts = async ({ calls = 1_000_000, minutes = 20, pairs = 4 }: AlertsBenchOptions = {}): Promise<AlertsFigures> => {
  const folder = mkdtempSync(join(tmpdir(), 'taximeter-bench-'))
  try {
    const path = join(folder, 'ledger.db')
    // A large one takes minutes to make: it is kept for the next run, and for other benches of as many calls.
    if (calls > keptMin) copyFileSync(await keptLedger({ calls, from, days }), path)
    const store = await sqliteStore({ path, durability: 'normal' })
    if (calls <= keptMin) await appendAll(store, fleet({ calls, from, days }))
    const rounds = await measureRounds(store, calls, minutes)
    const ingest = await measureIngest(store, path, pairs)
    await store.close()
    return { calls, rules: twoHundred.length, ...rounds, roundMsLimit: 1_000, coreShareLimit: 0.05, ...ingest, ingestLimit: 0.95 }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Rules as teams would write them: the default ones, and of every kind some for each of several segments, windows and filters. */
const twoHundred: readonly Rule[] = (() => {
  const rules: Record<string, unknown>[] = []
  const add = (rule: Record<string, unknown>): void => void rules.push({ name: `rule-${rules.length}`, ...rule })
  for (let agent = 0; agent < 20; agent++) {
    const where = `agent:agent-${agent}`
    add({ kind: 'threshold', measure: 'cost', window: '1h', above: 40, where })
    add({ kind: 'threshold', measure: 'costP95', window: '1d', above: 5, where })
    add({ kind: 'change', measure: 'costPerRun', window: '7d', rise: '30%', where })
    add({ kind: 'baseline', by: 'task', where })
  }
  for (const by of ['agent', 'task', 'model', 'release', 'team'])
    for (const window of ['5m', '15m', '1h', '1d', '7d']) {
      add({ kind: 'threshold', measure: 'burnRatePerHour', window, above: 500, by })
      add({ kind: 'threshold', measure: 'errors', window, above: 100_000, by })
      add({ kind: 'threshold', measure: 'retries', window, above: 100_000, by })
    }
  for (const by of ['agent', 'task', 'model'])
    for (const window of ['1d', '7d', '15d']) add({ kind: 'change', measure: 'cacheHitRate', window, fall: '30%', by })
  for (const [index, attribute] of ['model', 'provider', 'tool', 'agent'].entries())
    add({ kind: 'new', attribute, window: `${index + 1}h` })
  for (const by of ['agent', 'task', 'team']) add({ kind: 'release', by })
  for (const after of ['1h', '3h', '6h']) add({ kind: 'silent', after })
  for (const window of ['1h', '1d']) add({ kind: 'unpriced', by: 'model', window })
  for (const window of ['1h', '1d']) add({ kind: 'coverage', window })
  for (const tokensAbove of [8_000, 20_000]) add({ kind: 'request', tokensAbove, by: 'agent' })
  for (const within of ['run', 'agent']) add({ kind: 'repeat', within })
  const own = rules.map((rule) => parseRule(rule, 'bench'))
  const rest = 200 - own.length - defaultRules(100_000).length
  const more = Array.from({ length: rest }, (_, task) =>
    parseRule(
      { name: `task-${task}`, kind: 'threshold', measure: 'latencyP95', window: '1h', above: 1e9, where: `task:task-${task % 30}` },
      '',
    ),
  )
  return [...defaultRules(100_000), ...own, ...more]
})()

/** Across midnight, so that what is looked at once an hour and once a day is part of it, more often than it is. */
const measureRounds = async (store: Store, calls: number, minutes: number) => {
  const begin = end - (minutes / 2) * minuteMs
  const time = { now: begin }
  const setup = { rules: twoHundred, silences: [], notifiers: [] }
  const alerts = await createAlerts({
    setup,
    store: memoryAlerts(),
    evidence: evidenceOf(store, 'UTC', () => []),
    now: () => time.now,
    random: Math.random,
    zone: 'UTC',
    patience: pace.patience,
    onError: (error, rule) => {
      throw new Error(`${rule} failed`, { cause: error })
    },
  })
  // What comes while rounds are made comes at the pace of the month.
  const coming = fleet({ calls: Math.ceil((calls / days / 1_440) * (minutes + 1)), from: end, days: (minutes + 1) / 1_440, seed: 2 })
  let next = coming.next()
  const admitUntil = async (at: number): Promise<void> => {
    const batch: Entry[] = []
    for (; next.done !== true && next.value.event.at <= at; next = coming.next()) batch.push(next.value)
    for (const { counted } of await store.append(batch)) if (counted !== undefined) alerts.observe(counted)
  }
  const timed = async (work: () => Promise<void>) => {
    const [start, before] = [performance.now(), cpuMs()]
    await work()
    return { ms: performance.now() - start, cpuMs: cpuMs() - before }
  }
  const first = await timed(alerts.evaluate)
  // What a round does not wait for goes on while nothing else does.
  const learning = await timed(alerts.learned)
  const rounds: Awaited<ReturnType<typeof timed>>[] = []
  let spentMs = 0
  for (let lastMs = first.ms; time.now < begin + minutes * minuteMs; ) {
    time.now += Math.ceil(Math.max(pace.roundMs, lastMs / pace.shareMax) / pace.roundMs) * pace.roundMs
    await admitUntil(time.now)
    const measured = await timed(alerts.evaluate)
    rounds.push(measured)
    lastMs = measured.ms
    const learnt = await timed(alerts.learned)
    spentMs += measured.cpuMs + learnt.cpuMs
  }
  await alerts.close()
  return {
    learningCpuMs: first.cpuMs + learning.cpuMs,
    roundMs: median(rounds.map(({ ms }) => ms)),
    slowestMs: Math.max(...rounds.map(({ ms }) => ms)),
    roundCpuMs: median(rounds.map((round) => round.cpuMs)),
    roundsPerMinute: rounds.length / minutes,
    coreShare: spentMs / (time.now - begin),
  }
}

const eventsPerRound = 100_000
const batchSize = 1_000
const batchesUnderWay = 8

/** Events a second through the door with the default rules on, against the same without: by turns, so that both see the same machine. */
const measureIngest = async (store: Store, path: string, pairs: number) => {
  const started = Date.now()
  const now = () => end + 2 * 3_600_000 + (Date.now() - started)
  const intake = createIntake({ store, book: () => fleetBook, now })
  const loaded = loadConfig({ path: `${path}.yaml`, isOptional: true, environment: {} })
  const log = createLog('silent', () => {})
  let seed = 10
  const admit = async () => {
    const bodies = bodiesOf(now(), seed++)
    const [start, before] = [performance.now(), cpuMs()]
    const sender = async (): Promise<void> => {
      for (let body = bodies.pop(); body !== undefined; body = bodies.pop())
        await intake.admit(JSON.parse(body) as EventJson[], { source: 'sdk' })
    }
    await Promise.all(Array.from({ length: batchesUnderWay }, sender))
    return { ms: performance.now() - start, cpuMs: cpuMs() - before }
  }
  const admitWatched = async () => {
    const alerts = await startAlerting({ loaded, alertStore: memoryAlerts(), store, budgets: { status: () => [] }, log, now })
    const stop = intake.onCounted((counted) => counted !== undefined && alerts.observe(counted))
    // What is usual is learned once in the life of a server.
    await alerts.evaluate()
    await alerts.learned()
    const watched = await admit()
    stop()
    await alerts.close()
    return watched
  }
  await admit()
  const measured: { readonly speed: number; readonly work: number }[] = []
  for (let pair = 0; pair < pairs; pair++) {
    const isFirst = pair % 2 === 0
    const [one, two] = [await (isFirst ? admitWatched() : admit()), await (isFirst ? admit() : admitWatched())]
    const [watched, plain] = isFirst ? [one, two] : [two, one]
    measured.push({ speed: plain.ms / watched.ms, work: watched.cpuMs / plain.cpuMs })
  }
  return { ingest: median(measured.map(({ speed }) => speed)), ingestWork: median(measured.map(({ work }) => work)) }
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

const median = (values: readonly number[]): number => [...values].sort((left, right) => left - right)[values.length >> 1] ?? 0

/** Calls that cost next to nothing: watching is measured, and not the explaining of alerts that a thousandfold surge would raise. */
const bodiesOf = (at: number, seed: number): string[] => {
  const bodies: string[] = []
  let batch: unknown[] = []
  for (const { event } of fleet({ calls: eventsPerRound, from: at - minuteMs, days: 1 / 1_440, seed })) {
    if (event.kind === 'run') continue
    const { source: _, ...sent } = event
    batch.push(event.kind === 'tool' ? { ...sent, cost: undefined, costUsd: '0' } : { ...sent, quality: undefined, usage: { input: 1 } })
    if (batch.length === batchSize) {
      bodies.push(JSON.stringify(batch))
      batch = []
    }
  }
  return bodies
}

if (import.meta.main) {
  const figures = await benchAlerts({ calls: process.argv.includes('--large') ? 10_000_000 : 1_000_000 })
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  const count = figures.calls.toLocaleString('en')
  console.log(
    `rounds   ${figures.rules} rules over ${count} calls: ${figures.roundMs.toFixed(0)} ms a round, ${figures.roundCpuMs.toFixed(0)} ms of a processor; the slowest ${figures.slowestMs.toFixed(0)} ms (at most ${figures.roundMsLimit})`,
  )
  console.log(
    `cpu      ${percent(figures.coreShare)} of a core (at most ${percent(figures.coreShareLimit)}) at ${figures.roundsPerMinute.toFixed(1)} rounds a minute; ${(figures.learningCpuMs / 1_000).toFixed(1)} s once after a start`,
  )
  console.log(
    `ingest   with the default rules ${figures.ingest.toFixed(2)} of the events a second without (at least ${figures.ingestLimit}); ${figures.ingestWork.toFixed(2)} of the work`,
  )
}
