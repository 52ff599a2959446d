import type { BookJson } from '../core/book-json.ts'
import type { Budget } from '../core/budget.ts'
import { parseBudget } from '../core/budget-form.ts'
import type { Charge } from '../core/charge.ts'
import type { Call, CallEntry, ModelCall, ToolCall } from '../core/event.ts'
import { picoUsd } from '../core/money.ts'
import { createPriceBook } from '../core/price-book.ts'
import { settleCharge, toolCharge } from '../core/settle.ts'
import type { LeaseStore } from '../ledger/lease-store.ts'
import { memoryLeases } from '../ledger/memory/memory-leases.ts'
import { memoryStore } from '../ledger/memory/memory-store.ts'
import type { Store } from '../ledger/store.ts'
import { type BudgetGuardOptions, type Budgets, createBudgetGuard } from './budget-guard.ts'
import type { Crossing } from './crossings.ts'
import { createDurableBook } from './durable-book.ts'
import type { CallAhead } from './guard.ts'

/** `plain`: $1 per million tokens in, $2 out, so that a token costs a micro-dollar or two. */
export const bookJson: BookJson = {
  version: 'test',
  providers: {
    acme: {
      name: 'Acme',
      models: {
        plain: { aliases: ['plain-latest'], outputMax: 1_000, periods: [{ rates: { input: '1', output: '2' } }] },
        cached: {
          outputMax: 1_000,
          periods: [
            {
              rates: {
                input: '1',
                cache_read: '0.1',
                cache_write_5m: '1.25',
                cache_write_1h: '2',
                output: '4',
                web_search: '10',
                request: '5',
              },
              tiers: [{ basis: 'prompt', scope: 'request', op: 'gt', threshold: 1_000, rates: { input: '3', output: '6' } }],
              variants: [
                { tier: 'batch', multiply: '0.5' },
                { tier: 'priority', multiply: '2' },
              ],
            },
          ],
        },
        dearer: {
          periods: [{ rates: { input: '1', output: '2' } }, { from: '2026-11-23', rates: { input: '10', output: '20' } }],
        },
        embedding: { periods: [{ rates: { input: '0.1' } }] },
      },
    },
    free: { name: 'Free', anyModel: { periods: [{ rates: { input: '0', output: '0' } }] }, models: {} },
  },
}

export const prices = createPriceBook(bookJson)
export const noon = Date.parse('2026-11-22T12:00:00Z')

export const budgetOf = (form: Readonly<Record<string, unknown>>): Budget => parseBudget({ name: 'test', ...form }, 'budgets[0]')

export interface Ride {
  readonly guard: Budgets
  readonly store: Store
  readonly leases: LeaseStore
  readonly crossings: Crossing[]
  now: number
  /** Another process on the same ledger and leases, after this one was killed (or after `guard.close()`). */
  restart(options?: Partial<BudgetGuardOptions>): Promise<Ride>
  /** Keeps entries and tells the guard of them, as intake does. */
  keep(...entries: readonly CallEntry[]): Promise<void>
}

let holders = 0

export const ride = async (
  forms: readonly Readonly<Record<string, unknown>>[] | readonly Budget[],
  options: Partial<BudgetGuardOptions> & { readonly at?: number; readonly leases?: LeaseStore } = {},
): Promise<Ride> => {
  const budgets = forms.map((form, index) => ('window' in form ? (form as Budget) : parseBudget({ name: `b${index}`, ...form }, 'budgets')))
  return rideOn(budgets, { store: memoryStore(), ...options }, options.leases ?? memoryLeases(), options.at ?? noon)
}

const rideOn = async (
  budgets: readonly Budget[],
  options: Partial<BudgetGuardOptions> & { readonly store: BudgetGuardOptions['store'] },
  leases: LeaseStore,
  at: number,
): Promise<Ride> => {
  const holder = `holder-${holders++}`
  const book = options.book ?? (await createDurableBook({ leases, holder, now: at }))
  const store = options.store as Store
  let self: Ride | undefined
  const made: Omit<Ride, 'guard'> = {
    store,
    leases,
    crossings: [],
    now: at,
    restart: ({ budgets: others = budgets, ...more } = {}) => rideOn(others, { ...options, ...more }, leases, made.now),
    async keep(...entries) {
      for (const { counted, uncounted } of await store.append(entries)) self?.guard.observe(counted, uncounted)
      // A threshold is told when its mark is durable: in the next turn of the event loop, with leases in memory.
      for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
    },
  }
  const guard = await createBudgetGuard({ prices: () => prices, ...options, budgets, book, now: () => made.now, holder })
  self = Object.assign(made, { guard })
  guard.onCrossing((crossing) => made.crossings.push(crossing))
  return self
}

let ids = 0
export const nextId = (): string => `00000000-0000-7000-8000-${(ids++).toString(16).padStart(12, '0')}`

export const ahead = (more: Partial<CallAhead> = {}): CallAhead => ({
  provider: 'acme',
  model: 'plain',
  promptTokens: 100,
  outputMax: 100,
  ...more,
})

/** A call of `input` tokens in and `output` out of the plain model: input + 2 × output micro-dollars. */
export const entry = (more: Partial<ModelCall> & { readonly input?: number; readonly output?: number } = {}): CallEntry => {
  const { input = 100, output = 0, ...rest } = more
  const event: ModelCall = {
    id: nextId(),
    at: noon,
    source: 'gateway',
    kind: 'llm',
    provider: 'acme',
    model: 'plain',
    usage: { input, ...(output > 0 && { output }) },
    quality: 'complete',
    status: 'ok',
    attempt: 0,
    ...rest,
  }
  return charged(event, settleCharge(event, prices))
}

export const toolEntry = (microUsd: number, more: Partial<ToolCall> = {}): CallEntry => {
  const event: ToolCall = {
    id: nextId(),
    at: noon,
    source: 'sdk',
    kind: 'tool',
    tool: 'search',
    cost: picoUsd(BigInt(microUsd) * 1_000_000n),
    status: 'ok',
    attempt: 0,
    ...more,
  }
  return charged(event, toolCharge(event))
}

const charged = (event: Call, charge: Charge): CallEntry => ({ event, charge })

/** "0.000300000000" for 300 micro-dollars. */
export const micro = (amount: number): string => `${Math.floor(amount / 1e6)}.${(amount % 1e6).toString().padStart(6, '0')}000000`
