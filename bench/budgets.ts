import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseBudgets } from '../src/core/budget-form.ts'
import { createPriceBook } from '../src/core/price-book.ts'
import { createBudgetGuard } from '../src/guard/budget-guard.ts'
import { createDurableBook } from '../src/guard/durable-book.ts'
import type { CallAhead } from '../src/guard/guard.ts'
import { memoryBook } from '../src/guard/memory-book.ts'
import type { ReservationBook } from '../src/guard/reservation-book.ts'
import { memoryStore } from '../src/ledger/memory/memory-store.ts'
import { sqliteLeases } from '../src/ledger/sqlite/leases.ts'

export interface BudgetsFigures {
  /** Microseconds per decision with ten budgets bound; the settle is not in it. */
  readonly memoryUs: number
  readonly fileUs: number
  readonly settleUs: number
  /** Share of decisions that had to wait for a write. */
  readonly waited: number
}

export const decisionLimitUs = 5
const batches = 2_000
const inFlight = 100

const book = createPriceBook({
  version: 'bench',
  providers: {
    acme: {
      name: 'Acme',
      models: {
        large: { outputMax: 32_000, periods: [{ rates: { input: '2.5', cache_read: '0.25', cache_write_5m: '3.125', output: '15' } }] },
      },
    },
  },
})

const forms = [
  { scope: 'all', limit: '$1000000', per: 'day', zone: 'Europe/Berlin' },
  { scope: 'all', limit: '$1000000', per: '24h' },
  { scope: 'agent', limit: '$1000000', per: 'hour' },
  { scope: 'agent:support', limit: '900M tokens', per: '7d' },
  { scope: 'task', limit: '$1000000', per: '1h' },
  { scope: 'team', limit: '$1000000', per: 'month', zone: 'America/New_York' },
  { scope: 'user', limit: '900M tokens', per: 'day' },
  { scope: 'model', limit: '$1000000', per: '30d' },
  { scope: 'release', limit: '$1000000', per: 'total' },
  { scope: 'tag.plan', limit: '$1000000', per: 'week' },
].map((form, index) => ({ name: `budget ${index}`, ...form }))

const ahead: CallAhead = {
  provider: 'acme',
  model: 'large',
  promptTokens: 1_200,
  outputMax: 400,
  agent: 'support',
  task: 'refund',
  team: 'cx',
  user: 'u-7',
  release: '2026-11-22',
  tags: { plan: 'pro' },
}

/** Ten budgets bind every call; a hundred calls are let through, and then settled. */
const measure = async (reservations: ReservationBook) => {
  const store = memoryStore()
  const guard = await createBudgetGuard({
    budgets: parseBudgets(forms),
    prices: () => book,
    book: reservations,
    store,
    now: () => Date.now(),
    holder: 'bench',
  })
  let waited = 0
  const batch = async (): Promise<readonly [reserveUs: number, settleUs: number]> => {
    const flying: string[] = []
    const begun = performance.now()
    for (let index = 0; index < inFlight; index++) {
      const answer = guard.reserve(ahead)
      const decision = answer instanceof Promise ? await answer : answer
      if (answer instanceof Promise) waited += 1
      if (!decision.allowed || decision.reservation === undefined) throw new Error('The bench was refused.')
      flying.push(decision.reservation)
    }
    const between = performance.now()
    for (const reservation of flying) guard.settle(reservation)
    const ended = performance.now()
    return [((between - begun) * 1_000) / inFlight, ((ended - between) * 1_000) / inFlight]
  }
  for (let index = 0; index < 500; index++) await batch()
  waited = 0
  const figures: (readonly [number, number])[] = []
  for (let index = 0; index < batches; index++) figures.push(await batch())
  await guard.close()
  await store.close()
  return {
    decisionUs: medianOf(figures.map(([reserve]) => reserve)),
    settleUs: medianOf(figures.map(([, settle]) => settle)),
    waited: waited / (batches * inFlight),
  }
}

/** The median of batches, because other work on the same machine only ever makes some of them slower. */
const medianOf = (values: readonly number[]): number => values.toSorted((left, right) => left - right)[values.length >> 1] ?? 0

export const benchBudgets = async (): Promise<BudgetsFigures> => {
  const folder = await mkdtemp(join(tmpdir(), 'taximeter-bench-'))
  try {
    const memory = await measure(memoryBook())
    const leases = sqliteLeases({ path: join(folder, 'ledger.db') })
    const file = await measure(await createDurableBook({ leases, holder: 'bench', now: Date.now() }))
    return { memoryUs: memory.decisionUs, fileUs: file.decisionUs, settleUs: file.settleUs, waited: file.waited }
  } finally {
    await rm(folder, { recursive: true })
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { memoryUs, fileUs, settleUs, waited } = await benchBudgets()
  const say = (us: number): string => `${us.toFixed(2)} µs`
  console.log(
    `a decision with ten budgets bound, leases in the file: ${say(fileUs)} (at most ${decisionLimitUs} µs); in memory: ${say(memoryUs)}`,
  )
  console.log(`settling: ${say(settleUs)}; decisions that waited for a write: ${(waited * 100).toFixed(4)} %`)
  process.exitCode = fileUs <= decisionLimitUs ? 0 : 1
}
