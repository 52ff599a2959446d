import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Alertmanager,
  type AlertmanagerAlert,
  evaluatedRules,
  expectPrograms,
  isSkipped,
  type Prometheus,
  type Receiver,
  startAlertmanager,
  startPrometheus,
  startReceiver,
} from '../prometheus/monitoring.ts'
import { until } from '../prometheus/programs.ts'
import { dayMs, type FleetPlan, fleetEvents, hourMs } from './fleet-events.ts'
import { type FleetServer, serveFleet } from './fleet-server.ts'

// A Monday long ago: Alertmanager takes no alert from the future.
const begin = Date.parse('2025-09-01T00:00:00Z')
const minute = 60_000
const quietWeeks = 3
const at = (day: number, hour: number): number => begin + quietWeeks * 7 * dayMs + day * dayMs + hour * hourMs

const loopAt = at(0, 14)
const mistakeAt = at(1, 10)
const releaseAt = at(2, 9)
const surge = { from: at(3, 12), to: at(3, 15) }
const end = at(4, 12)

const plan: FleetPlan = {
  from: begin,
  to: end,
  seed: 3,
  // Releases are everyday: only one of them makes a prompt grow.
  releaseOf: (agent, time) => {
    if (agent === 'writer') return 'w-1'
    if (agent === 'reviewer') return time < begin + 9 * dayMs ? 'r-1' : 'r-2'
    return time < begin + 12 * dayMs ? 's-1' : time < releaseAt ? 's-2' : 's-3'
  },
  injections: [
    { isIn: (work, time) => work.task === 'order-status' && time >= releaseAt, prompt: 2.5 },
    { isIn: (work, time) => work.task === 'draft' && time >= surge.from && time < surge.to, traffic: 6 },
  ],
  loops: [{ at: loopAt, task: 'refund', calls: 150, everyMs: 15_000 }],
}

const rates = (input: number, output: number) => ({ input: String(input), output: String(output) })
/** Rates that somebody has written into the configuration; those of one model ten times too high by mistake. */
const configuration = (notifiers: readonly object[], mediumTimes: number) => ({
  dailyBudgetUsd: '800',
  notifiers,
  prices: {
    models: {
      'acme/large': { rates: rates(8, 30) },
      'acme/medium': { rates: rates(4 * mediumTimes, 16 * mediumTimes) },
      'acme/small': { rates: rates(5, 20) },
    },
  },
})

/** What taximeter's webhook says of an alert. */
interface Told {
  readonly rule: string
  readonly segment: Readonly<Record<string, string>>
  readonly message: string
  readonly cause?: string
  readonly model?: string
  readonly startedAt: string
}

describe.skipIf(isSkipped)('a fleet under a server, a Prometheus and an Alertmanager', { timeout: 120_000 }, () => {
  let folder: string
  let receiver: Receiver
  let alertmanager: Alertmanager
  let prometheus: Prometheus
  let fleet: FleetServer
  let notifiers: readonly object[]

  beforeAll(async () => {
    expectPrograms()
    folder = mkdtempSync(join(tmpdir(), 'taximeter-monitoring-'))
    receiver = await startReceiver()
    alertmanager = await startAlertmanager(folder, receiver.url)
    notifiers = [
      { name: 'hook', type: 'webhook', url: `${receiver.url}/hook`, private: true },
      { name: 'alertmanager', type: 'alertmanager', url: alertmanager.url, private: true },
    ]
    fleet = await serveFleet(fleetEvents(plan), configuration(notifiers, 1))
    prometheus = await startPrometheus({ folder, target: fleet.url, alertmanager: alertmanager.url })
  })

  afterAll(async () => {
    await Promise.all([prometheus?.stop(), alertmanager?.stop()])
    await fleet?.close()
    receiver?.close()
    rmSync(folder, { recursive: true })
  })

  /** What the webhook was told to have begun (or ended), since an instant. */
  const toldSince = (from: number, transition: 'firing' | 'resolved' = 'firing'): readonly Told[] =>
    receiver.received
      .filter(({ path }) => path === '/hook')
      .map(({ body }) => JSON.parse(body) as { readonly transition: string; readonly alerts: readonly Told[] })
      .filter((notice) => notice.transition === transition)
      .flatMap(({ alerts }) => alerts)
      .filter(({ startedAt }) => Date.parse(startedAt) >= from)

  /** Plays on, and twice a day or so the program ends and begins again. */
  const playThrough = async (to: number): Promise<void> => {
    for (let next = fleet.now(); next < to; ) {
      next = Math.min(to, next + 11 * hourMs)
      await fleet.play(next, 30 * minute)
      await fleet.restart()
    }
  }

  /** Plays until somebody is told, sees that Alertmanager holds the same alert and has passed it on, and plays to the end. Gives what was told. */
  const oneToldIn = async (from: number, to: number): Promise<Told> => {
    while (toldSince(from).length === 0 && fleet.now() < to) await fleet.play(Math.min(to, fleet.now() + 15 * minute), 15 * minute)
    const [told] = toldSince(from)
    if (told === undefined) throw new Error('Nobody was told of anything.')
    const { rule, segment, message, cause } = told
    const held = (await alertmanager.alerts()).filter(({ labels }) => labels.source === 'taximeter')
    expect(held).toContainEqual(
      expect.objectContaining({
        labels: expect.objectContaining({ alertname: rule, source: 'taximeter', ...segment }),
        annotations: expect.objectContaining({ summary: message, cause }),
      }),
    )
    // What began before and goes on is there too, and nothing else.
    const all = toldSince(begin).map((each) => each.message)
    for (const { annotations } of held) expect(all).toContain(annotations.summary)
    await until('Alertmanager has passed it on', async () => passedOn().find((each) => each.annotations.summary === message))
    await playThrough(to)
    expect(toldSince(from)).toEqual([told])
    return told
  }

  /** Alerts of taximeter that Alertmanager told its receiver to have begun. */
  const passedOn = (): readonly AlertmanagerAlert[] =>
    receiver.received
      .filter(({ path }) => path !== '/hook')
      .flatMap(({ body }) => (JSON.parse(body) as { readonly alerts: readonly (AlertmanagerAlert & { readonly status: string })[] }).alerts)
      .filter(({ status, labels }) => status === 'firing' && labels.source === 'taximeter')

  test('is quiet for three quiet weeks, and so are the rules of Prometheus', async () => {
    // Just before an hour is full both it and the one before it are seen in whole.
    await fleet.play(at(0, 0), 2 * hourMs)
    const rules = await evaluatedRules(prometheus)
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
    expect(receiver.received).toEqual([])
    expect(await alertmanager.alerts()).toEqual([])
    expect(await prometheus.query('ALERTS{alertstate="firing"}')).toEqual([])
    expect((await fleet.alerts()).map(({ message }) => message)).toEqual([])
  })

  test('tells of a loop once: the run that goes round', async () => {
    await playThrough(loopAt)
    const loop = await oneToldIn(loopAt, mistakeAt)
    expect(loop).toMatchObject({ rule: 'repeated-prompt', cause: 'calls', segment: { run: 'run-loop', task: 'refund', agent: 'support' } })
    expect(loop.message).toMatch(/the same prompt was sent \d+ times to large .* A loop/)
  })

  test('tells of a mistake in a price once: the price, and of which model', async () => {
    await fleet.configure(configuration(notifiers, 10))
    const mistake = await oneToldIn(mistakeAt, releaseAt)
    expect(mistake).toMatchObject({ cause: 'price', model: 'medium' })
    expect(mistake.message).toMatch(/A run costs .* instead of .*: \+\d+ % from prices \(medium\)/)
  })

  test('tells of a prompt that grows with a release once: the prompt, and which release', async () => {
    const growth = await oneToldIn(releaseAt, surge.from)
    expect(growth).toMatchObject({ cause: 'prompt', model: 'large', segment: { task: 'order-status' } })
    expect(growth.message).toMatch(/from prompt tokens \(large\)/)
    expect(growth.message).toMatch(/release s-3/)
  })

  test('tells of a surge of traffic once: as traffic, at the same cost of a run', async () => {
    const rise = await oneToldIn(surge.from, end)
    expect(rise).toMatchObject({ cause: 'traffic', segment: { task: 'draft' } })
    expect(rise.message).toMatch(/This is traffic: \d+ runs where about [\d.]+ are usual; a run costs \$[\d.]+, about as before/)
    expect(rise.message).not.toMatch(/regression|price|prompt/)
  })

  test('has told of four incidents, each once by every way, and kept what other rules saw of them as parts', async () => {
    expect(fleet.failures).toEqual([])
    const told = toldSince(begin)
    expect(told.length).toBe(4)
    expect(passedOn().map(({ annotations }) => annotations.summary)).toEqual(told.map(({ message }) => message))
    const alerts = await fleet.alerts()
    const roots = new Set(alerts.filter(({ partOf }) => partOf === undefined).map(({ id }) => id))
    expect(roots.size).toBe(4)
    for (const { partOf } of alerts.filter(({ id }) => !roots.has(id))) expect(roots).toContain(partOf)
    expect(alerts.some(({ rule, cause }) => rule === 'unusual-hour' && cause === 'calls')).toBe(true)
  })

  test.each([
    ['ai_token_input_total', 'promptTokens'],
    ['ai_token_output_total', 'completionTokens'],
  ] as const)('%s in Prometheus is what the ledger has', async (metric, measure) => {
    const tokens = await fleet.byModel(measure)
    expect(Object.keys(tokens).toSorted()).toEqual(['large', 'medium', 'small'])
    await until('Prometheus has it too', async () => {
      const samples = await prometheus.query(metric)
      const scraped = Object.fromEntries(samples.map(({ metric: { model = '' }, value }) => [model, value[1]]))
      return JSON.stringify(Object.entries(scraped).sort()) === JSON.stringify(Object.entries(tokens).sort()) ? true : undefined
    })
  })
})
