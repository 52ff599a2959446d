import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Budget } from '../core/budget.ts'
import { parseBudgets } from '../core/budget-form.ts'
import type { CallEntry } from '../core/event.ts'
import { parseUsd } from '../core/money.ts'
import { nextStart, startOf } from '../core/window.ts'
import { amountOfEntry } from './amounts.ts'
import type { Crossing } from './crossings.ts'
import { ahead, entry, nextId, noon, type Ride, ride } from './ride.contract.ts'
import { spanMs } from './spending.ts'

const leaseMs = 120_000
const graceMs = 20_000
const agents = ['a', 'b'] as const

/** Several scopes, windows and units at once, some with a value, one that only warns. */
const budgetsWith = (factor: number): readonly Budget[] =>
  parseBudgets([
    { name: 'day', limit: `$0.00${3 * factor}`, per: 'day', zone: 'Asia/Kathmandu' },
    { name: 'hour', scope: 'agent', limit: `${1_500 * factor} tokens`, per: '1h' },
    { name: 'a', scope: 'agent:a', limit: `$0.00${2 * factor}`, per: '24h' },
    { name: 'run', scope: 'run', limit: `$0.00${factor}` },
    { name: 'ever', limit: '$0.01', per: 'total', onExceed: 'warn' },
  ])

interface InFlight {
  readonly reservation: string
  readonly event: string
  readonly agent: string
  readonly run: string
  readonly prompt: number
  readonly output: number
  readonly at: number
  readonly expiresAt: number
  readonly isNamed: boolean
  state: 'open' | 'settled'
  /** Process that granted it. */
  readonly life: number
}

/** What must hold, kept as plainly as it can be: every entry, every reservation, and nothing that is summed up ahead. */
interface Model {
  now: number
  factor: number
  life: number
  entries: CallEntry[]
  /** Of all that was ever sent: what comes again is no other entry. */
  ids: Set<string>
  inFlight: InFlight[]
  /** Until when holds of a process that was killed may still be counted. */
  ghostsUntil: number
}

const valueIn = (budget: Budget, call: { readonly agent?: string; readonly run?: string }): string | undefined => {
  if (budget.scope === 'all') return ''
  const value = budget.scope === 'agent' ? call.agent : call.run
  return budget.value === undefined || budget.value === value ? value : undefined
}

const fromOf = (budget: Budget, now: number): number => {
  const { window } = budget
  if (window.kind === 'calendar') return startOf(window.interval, now, window.zone)
  return window.kind === 'rolling' ? now - spanMs[window.span] + 1 : 0
}

/** Exact, and what may still be counted because a rolling window forgets by the minute, or by the quarter after a restart. */
const spentOf = (model: Model, budget: Budget, value: string, slack: number): bigint =>
  model.entries
    .filter(({ event }) => valueIn(budget, event) === value && event.at >= fromOf(budget, model.now) - slack)
    .reduce((sum, each) => sum + amountOfEntry(budget, each), 0n)

const amountOf = (budget: Budget, { prompt, output }: { readonly prompt: number; readonly output: number }): bigint =>
  budget.limit.unit === 'tokens' ? BigInt(prompt + output) : BigInt(prompt + 2 * output) * 1_000_000n

const heldOf = (model: Model, budget: Budget, value: string): bigint =>
  model.inFlight
    .filter((call) => valueIn(budget, call) === value && call.expiresAt > model.now)
    .reduce((sum, call) => sum + amountOf(budget, call), 0n)

const isLive =
  (model: Model) =>
  (call: InFlight): boolean =>
    call.expiresAt > model.now
const limitOf = ({ limit }: Budget): bigint => BigInt(limit.amount)
const quarterMs = 15 * 60_000

type Step = fc.AsyncCommand<Model, { it: Ride }>

const step = (name: string, check: (model: Model) => boolean, run: (model: Model, real: { it: Ride }) => Promise<void>): Step => ({
  check,
  run: async (model, real) => {
    real.it.now = model.now
    await run(model, real)
    for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
    compare(model, real.it)
  },
  toString: () => name,
})

/** After every step: what the guard says is what the plain model says, and no limit is broken by what was granted. */
const compare = (model: Model, { guard, crossings }: Ride): void => {
  const budgets = budgetsWith(model.factor)
  for (const status of guard.status()) {
    const budget = budgets.find(({ name }) => name === status.name)
    if (budget === undefined) throw new Error(`there is no budget "${status.name}"`)
    const value = status.value ?? ''
    const parse = (text: string): bigint => (status.unit === 'usd' ? (parseUsd(text) ?? -1n) : BigInt(text))
    const [spent, reserved] = [parse(status.spent), parse(status.reserved)]
    const isRolling = budget.window.kind === 'rolling'
    expect(spent, `spent of ${status.name} ${value}`).toBeGreaterThanOrEqual(spentOf(model, budget, value, 0))
    expect(spent, `spent of ${status.name} ${value}`).toBeLessThanOrEqual(spentOf(model, budget, value, isRolling ? quarterMs : 0))
    const held = heldOf(model, budget, value)
    if (budget.onExceed === 'block' || model.now >= model.ghostsUntil)
      expect(reserved, `held of ${status.name} ${value}`).toBeGreaterThanOrEqual(held)
    if (model.now >= model.ghostsUntil) expect(reserved, `held of ${status.name} ${value}`).toBe(held)
    for (const { share, isCrossed } of status.thresholds) {
      if (!isCrossed) continue
      const told = crossings.filter((each) => nameOf(each) === nameOf({ ...status, budget: status.name, share, at: model.now }))
      if (isRolling) expect(told.length, `${share} of ${status.name} ${value}`).toBeGreaterThan(0)
      else expect(told, `${share} of ${status.name} ${value}`).toHaveLength(1)
    }
  }
}

/** What fires once: a share of a limit in a window. */
const nameOf = ({
  budget,
  value,
  share,
  limit,
  window,
  at,
}: Pick<Crossing, 'budget' | 'share' | 'limit' | 'window' | 'at'> & { readonly value?: string }): string =>
  JSON.stringify([budget, value ?? '', share, limit, window.kind === 'calendar' ? startOf(window.interval, at, window.zone) : ''])

const reserve = (agent: string, run: string, prompt: number, output: number, isNamed: boolean): Step =>
  step(
    `reserve(${agent}, ${run}, ${prompt} + ${output}${isNamed ? '' : ', unnamed'})`,
    () => true,
    async (model, { it }) => {
      const event = nextId()
      const call = ahead({ agent, run, promptTokens: prompt, outputMax: output, ...(isNamed && { event }) })
      const decision = await it.guard.reserve(call)
      const binding = budgetsWith(model.factor).flatMap((budget) => {
        const value = valueIn(budget, call)
        return value === undefined || budget.onExceed === 'warn' ? [] : [{ budget, value }]
      })
      const fits = (slack: number) =>
        binding.every(({ budget, value }) => {
          const amount = amountOf(budget, { prompt, output })
          return amount === 0n || spentOf(model, budget, value, slack) + heldOf(model, budget, value) + amount <= limitOf(budget)
        })
      // Never granted beyond any limit; never refused without cause, but for what a killed process may have left.
      if (decision.allowed) expect(fits(0)).toBe(true)
      else if (model.now >= model.ghostsUntil) expect(fits(quarterMs)).toBe(false)
      if (!decision.allowed || decision.reservation === undefined) return
      const { reservation } = decision
      const { now: at, life } = model
      model.inFlight.push({ reservation, event, agent, run, prompt, output, at, expiresAt: at + leaseMs, isNamed, state: 'open', life })
    },
  )

const pick = (model: Model, index: number, where: (call: InFlight) => boolean): InFlight | undefined => {
  const among = model.inFlight.filter(where)
  return among[index % Math.max(1, among.length)]
}

const isOwn = (model: Model) => (call: InFlight) => call.life === model.life && isLive(model)(call)

const settle = (index: number): Step =>
  step(
    `settle(${index})`,
    (model) => model.inFlight.some((call) => isOwn(model)(call) && call.state === 'open'),
    async (model, { it }) => {
      const call = pick(model, index, (each) => isOwn(model)(each) && each.state === 'open')
      if (call === undefined) return
      it.guard.settle(call.reservation)
      it.guard.settle(call.reservation)
      if (call.isNamed) {
        // Its entry may still come: held for the grace, or for what is left of the lease if that is shorter.
        Object.assign(call, { state: 'settled', expiresAt: Math.min(call.expiresAt, model.now + graceMs) })
      } else model.inFlight = model.inFlight.filter((each) => each !== call)
    },
  )

/** The call's entry comes into the ledger: using no more than was set aside, or (a lost link) telling of a call made elsewhere. */
const observe = (index: number, share: number): Step =>
  step(
    `observe(${index}, ${share}%)`,
    (model) => model.inFlight.length > 0,
    async (model, { it }) => {
      const call = pick(model, index, () => true)
      if (call === undefined) return
      const used = { input: Math.floor((call.prompt * share) / 100), output: Math.floor((call.output * share) / 100) }
      const made = entry({ id: call.event, at: call.at, agent: call.agent, run: call.run, ...used })
      await it.keep(made)
      if (!model.ids.has(call.event)) model.entries.push(made)
      model.ids.add(call.event)
      // A hold of a process that was killed, or without a named event, is not linked to the entry.
      if (call.isNamed && call.life === model.life) model.inFlight = model.inFlight.filter((each) => each !== call)
    },
  )

const elsewhere = (agent: string, run: string, input: number): Step =>
  step(
    `elsewhere(${agent}, ${run}, ${input})`,
    () => true,
    async (model, { it }) => {
      const made = entry({ agent, run, input, at: model.now })
      await it.keep(made)
      model.entries.push(made)
    },
  )

const takeBack = (index: number): Step =>
  step(
    `takeBack(${index})`,
    (model) => model.entries.some(({ event }) => event.kind === 'llm' && event.callKey === undefined),
    async (model, { it }) => {
      const among = model.entries
      const old = among[index % among.length] as CallEntry
      const { id, at, agent, run } = old.event
      const corrected = { ...entry({ at, input: 1, ...(agent && { agent }), ...(run && { run }) }), corrects: id }
      await it.keep(corrected)
      model.entries = [...among.filter((each) => each !== old), corrected]
    },
  )

const pass = (ms: number): Step =>
  step(
    `pass(${ms} ms)`,
    () => true,
    async (model, { it }) => {
      model.now += ms
      it.now = model.now
      model.inFlight = model.inFlight.filter(isLive(model))
    },
  )

const crash = (isKill: boolean): Step =>
  step(
    isKill ? 'kill' : 'end and start',
    () => true,
    async (model, real) => {
      if (!isKill) await real.it.guard.close()
      const crossings = real.it.crossings
      real.it = await real.it.restart({ budgets: budgetsWith(model.factor) })
      real.it.crossings.push(...crossings)
      model.life += 1
      // Covers last a quarter longer than the leases under them, and hold up to half more.
      model.ghostsUntil = Math.max(model.ghostsUntil, model.now + leaseMs * 1.25 + 1)
    },
  )

const reload = (factor: number): Step =>
  step(
    `reload(×${factor})`,
    () => true,
    async (model, { it }) => {
      model.factor = factor
      await it.guard.reload(budgetsWith(factor))
    },
  )

const nextDay = (): Step =>
  step(
    'next day',
    () => true,
    async (model, { it }) => {
      model.now = nextStart('day', model.now, 'Asia/Kathmandu')
      it.now = model.now
      model.inFlight = model.inFlight.filter(isLive(model))
    },
  )

const runs = fc.constantFrom('r1', 'r2', 'r3')
const reserving = fc
  .tuple(fc.constantFrom(...agents), runs, fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 300 }), fc.boolean())
  .map((args) => reserve(...args))
const settling = fc.nat(20).map(settle)
const observing = fc.tuple(fc.nat(20), fc.integer({ min: 0, max: 100 })).map((args) => observe(...args))
const spending = fc.tuple(fc.constantFrom(...agents), runs, fc.integer({ min: 1, max: 1_500 })).map((args) => elsewhere(...args))
const passing = fc.constantFrom(1, 19_999, 20_000, 59_000, 119_999, 120_000, 1_800_000, 3_540_001, 3_600_000).map(pass)

/** What happens often stands here several times. */
const commands = [
  ...[reserving, reserving, reserving, settling, settling, observing, observing, spending, passing, passing],
  fc.nat(20).map(takeBack),
  fc.boolean().map(crash),
  fc.constantFrom(1, 2, 3).map(reload),
  fc.constant(null).map(nextDay),
]

describe('whatever is reserved, settled, observed, taken back, forgotten, restarted and reloaded', () => {
  test('the guard agrees with a plain model, and no threshold fires twice', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 40 }), async (steps) => {
        const it = await ride(budgetsWith(1), { leaseMs, settleGraceMs: graceMs })
        const real = { it }
        const model: Model = { now: noon, factor: 1, life: 0, entries: [], inFlight: [], ghostsUntil: 0, ids: new Set() }
        await fc.asyncModelRun(() => ({ model, real }), steps)
        const told = real.it.crossings.filter(({ window }) => window.kind !== 'rolling').map(nameOf)
        expect(new Set(told).size).toBe(told.length)
        await real.it.guard.close()
      }),
      { numRuns: 300 },
    )
  })
})
