import { writeSync } from 'node:fs'
import { sqliteLeases } from '../ledger/sqlite/leases.ts'
import { sqliteStore } from '../ledger/sqlite/sqlite-store.ts'
import { createBudgetGuard } from './budget-guard.ts'
import { createDurableBook } from './durable-book.ts'
import { ahead, budgetOf, entry, prices } from './ride.contract.ts'

/**
 * A process that lets two hundred calls at a time against the last dollar, until it is killed or has nothing more to do. It says
 * "<event> left" before a call leaves, and keeps what the call cost when it is over.
 */
const [path = '', holder = '', seed = '1'] = process.argv.slice(2)
const store = await sqliteStore({ path, durability: 'normal' })
const now = () => Date.now()
const book = await createDurableBook({ leases: sqliteLeases({ path }), holder, now: now() })
const guard = await createBudgetGuard({
  budgets: [
    budgetOf({ name: 'last dollar', limit: '$1', per: 'total' }),
    budgetOf({ name: 'by agent', scope: 'agent', limit: '$1', per: 'day' }),
  ],
  prices: () => prices,
  book,
  store,
  now,
  holder,
})
writeSync(1, 'ready\n')

let state = Number(seed)
/** Lehmer's generator: the same seed, the same run. */
const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const eventId = (index: number): string => `00000000-${seed.padStart(4, '0')}-7000-8000-${index.toString(16).padStart(12, '0')}`

/** A worst case of a cent, of which a call uses between nothing and all. */
const call = async (index: number): Promise<void> => {
  await pause(random() * 300)
  const event = eventId(index)
  const decision = await guard.reserve(ahead({ event, agent: 'a', promptTokens: 0, outputMax: 5_000 }))
  if (!decision.allowed || decision.reservation === undefined) return
  writeSync(1, `${event} left\n`)
  await pause(random() * 60)
  const made = entry({ id: event, agent: 'a', at: now(), input: 0, output: Math.ceil(random() * 5_000) })
  if (index % 2 === 0) guard.settle(decision.reservation)
  for (const { counted, uncounted } of await store.append([made])) guard.observe(counted, uncounted)
  if (index % 2 === 1) guard.settle(decision.reservation)
}

for (let round = 0; round < 4; round++) {
  await Promise.all(Array.from({ length: 200 }, (_, index) => call(round * 200 + index)))
}
writeSync(1, 'done\n')
await guard.close()
await store.close()
