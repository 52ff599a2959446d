import type { AlertCounters } from '../guard/alerts/alerts.ts'
import type { RejectionReason } from '../intake/event-json.ts'
import type { Intake } from '../intake/intake.ts'
import type { Store } from '../ledger/store.ts'
import { gaugeBudgets, type MeteredBudgets } from './budget-gauges.ts'
import { createCallTally } from './call-tally.ts'
import { gaugeGateway, type MeteredGateway } from './gateway-gauges.ts'
import { createKeepUp } from './keep-up.ts'
import { createFamily, createLabels, type Family } from './metric-family.ts'
import { type LabelName, type MetricName, metricList } from './metric-list.ts'
import { gaugeAlerts, gaugeForecast, type MeteredForecasts } from './outlook-gauges.ts'
import { createRunCostHistogram } from './run-cost-histogram.ts'
import { createRunCounters } from './run-counters.ts'
import { createRunTally } from './run-tally.ts'
import { applyStanding, readLabels, readRuns, readStanding } from './standing.ts'

export interface MetricsOptions {
  readonly store: Pick<Store, 'ask' | 'runs' | 'head'>
  readonly intake: Pick<Intake, 'onCounted' | 'onRun' | 'counters'>
  readonly now: () => number
  readonly version: string
  readonly bookVersion: () => string
  /** The budgets and the gateway, where there are any; asked at every scrape. */
  readonly budgets?: MeteredBudgets | undefined
  readonly gateway?: MeteredGateway | undefined
  readonly alerts?: { counters(): AlertCounters } | undefined
  readonly forecasts?: MeteredForecasts | undefined
  readonly limits?: Partial<MetricsLimits>
}

export interface MetricsLimits {
  /** Values of one label; past this they are counted as "other". */
  readonly valuesMax: number
  /** Series of one metric. */
  readonly seriesMax: number
  /** Runs that are followed, and read from the ledger at the start. */
  readonly runsMax: number
}

export const defaultMetricsLimits: MetricsLimits = { valuesMax: 500, seriesMax: 10_000, runsMax: 20_000 }

/** The metrics of one ledger. A value, not a global: making it twice in one process is making two. */
export interface Metrics {
  /** The text that Prometheus reads. */
  text(): Promise<string>
  /** An item of a request that was rejected before it was an event. */
  countRejected(reason: RejectionReason): void
  countRequest(method: string, route: string, status: number): void
  setStreamClients(count: () => number): void
  close(): void
}

/**
 * Metrics that begin where the ledger stands and are moved by what intake counts; what others write into the same ledger is
 * caught up with before each scrape.
 *
 * Printed by our own few lines rather than by prom-client, whose counters are floats that can only be added to: ours are set from
 * exact integers, and are printed in turns so that a scrape of many series holds up no request. Of 50,000 series that all moved,
 * prom-client made five times the work, in one piece (bench/metrics.ts).
 */
export const createMetrics = async (options: MetricsOptions): Promise<Metrics> => {
  const limits = { ...defaultMetricsLimits, ...options.limits }
  const labels = createLabels(limits.valuesMax)
  const families = new Map<MetricName, Family>()
  for (const name of Object.keys(metricList) as MetricName[]) {
    if (metricList[name].type !== 'histogram') families.set(name, createFamily(name, labels, limits.seriesMax))
  }
  const family = (name: MetricName): Family => {
    const found = families.get(name)
    if (found === undefined) throw new RangeError(`${name} is not a family of single values`)
    return found
  }

  const histogram = createRunCostHistogram(labels, limits.seriesMax / 20)
  const calls = createCallTally(family)
  const runs = createRunTally({ runsMax: limits.runsMax, onChange: createRunCounters(family, histogram) })
  const { store, intake, now } = options
  const head = await store.head()
  await readLabels(store, now(), labels)
  applyStanding(await readStanding(store, now()), family)
  for (const run of await readRuns(store, now(), limits.runsMax)) runs.seed(run)

  let moves = 0
  let lastEventAt = 0
  const stopCounted = intake.onCounted((counted, uncounted) => {
    moves += 1
    lastEventAt = now()
    calls.observe(counted, uncounted)
    runs.observe(counted, uncounted)
  })
  const stopRuns = intake.onRun((record) => {
    moves += 1
    runs.record(record)
  })
  const keepUp = createKeepUp({ store, intake, family, runs, now, moves: () => moves, head })

  const rejectedHere = new Map<RejectionReason, number>()
  let streamClients = (): number => 0

  const gaugeAll = (): void => {
    gaugeProcess(family, options)
    gaugeIntake(family, intake, rejectedHere)
    family('taximeter_last_event_timestamp_seconds').series().truth = BigInt(lastEventAt) * 1_000n
    family('taximeter_stream_clients').series().truth = BigInt(streamClients())
    family('taximeter_coverage_ratio').series().truth = coverageOf(family)
    for (const label of ['model', 'release', 'tool', 'provider', 'error', 'value'] as const satisfies readonly LabelName[])
      family('taximeter_label_overflow_total').series(label).truth = BigInt(labels.overflowOf(label))
    if (options.budgets !== undefined) gaugeBudgets(family, options.budgets)
    if (options.gateway !== undefined) gaugeGateway(family, options.gateway)
    if (options.alerts !== undefined) gaugeAlerts(family, options.alerts)
    if (options.forecasts !== undefined) gaugeForecast(family, options.forecasts)
  }

  const print = async (): Promise<string> => {
    // A ledger that does not answer is /readyz's to tell; what was counted here is still worth printing.
    await atMost(keepUpMsMax, keepUp()).catch(() => undefined)
    gaugeAll()
    const parts: string[] = []
    let count = 0
    for (const name of Object.keys(metricList) as MetricName[]) {
      for (const line of name === 'agent_run_cost_usd' ? histogram.lines() : family(name).lines()) {
        parts.push(line)
        if (++count % linesPerTurn === 0) await new Promise(setImmediate)
      }
    }
    return parts.join('')
  }

  let printing: Promise<string> | undefined
  return {
    // Scrapes that overlap share one printing.
    text: () =>
      (printing ??= print().finally(() => {
        printing = undefined
      })),
    countRejected: (reason) => void rejectedHere.set(reason, (rejectedHere.get(reason) ?? 0) + 1),
    countRequest: (method, route, status) =>
      void (family('taximeter_http_requests_total').series(method, route, String(status)).truth += 1n),
    setStreamClients: (count) => void (streamClients = count),
    close() {
      stopCounted()
      stopRuns()
    },
  }
}

/** A ledger that takes longer is not waited for; what it answers then is there at the next scrape. */
const keepUpMsMax = 5_000

const atMost = async (ms: number, work: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** About a millisecond of printing. */
const linesPerTurn = 2_000

const gaugeProcess = (family: (name: MetricName) => Family, { version, bookVersion, now }: MetricsOptions): void => {
  const info = family('taximeter_build_info')
  info.clear()
  info.series(version, process.versions.node, bookVersion()).truth = 1n
  const cpu = process.cpuUsage()
  family('process_cpu_seconds_total').series().truth = BigInt(cpu.user + cpu.system)
  family('process_resident_memory_bytes').series().truth = BigInt(process.memoryUsage.rss())
  const startedAt = family('process_start_time_seconds').series()
  if (startedAt.truth === 0n) startedAt.truth = BigInt(Math.round((now() - process.uptime() * 1_000) * 1_000))
}

const gaugeIntake = (
  family: (name: MetricName) => Family,
  intake: Pick<Intake, 'counters'>,
  rejectedHere: ReadonlyMap<RejectionReason, number>,
): void => {
  const counters = intake.counters()
  let rejected = 0
  for (const [reason, count] of Object.entries(counters.rejected) as [RejectionReason, number][]) {
    const all = count + (rejectedHere.get(reason) ?? 0)
    rejected += all
    family('taximeter_ingest_rejected_total').series(reason).truth = BigInt(all)
  }
  const events = family('taximeter_ingest_events_total')
  events.series('accepted').truth = BigInt(counters.accepted)
  events.series('duplicate').truth = BigInt(counters.duplicate)
  events.series('rejected').truth = BigInt(rejected)
  family('taximeter_ingest_failed_batches_total').series().truth = BigInt(counters.failedBatches)
  family('taximeter_ingest_in_flight').series().truth = BigInt(counters.inFlight)
  family('taximeter_usage_missing_total').series().truth = BigInt(counters.missingUsage)
  for (const [flag, count] of Object.entries(counters.flags)) family('taximeter_usage_flags_total').series(flag).truth = BigInt(count)
}

/** In millionths. Where nothing was called yet, nothing is uncovered. */
const coverageOf = (family: (name: MetricName) => Family): bigint => {
  const callsOf = (basis: string): bigint => family('taximeter_calls_total').series(basis).truth
  const all = ['reported', 'computed', 'partial', 'estimated', 'unpriced'].reduce((sum, basis) => sum + callsOf(basis), 0n)
  return all === 0n ? 1_000_000n : ((callsOf('reported') + callsOf('computed')) * 1_000_000n) / all
}
