import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { evidenceOf } from '../../src/cli/alerting.ts'
import { dailyBudget } from '../../src/core/budget.ts'
import { parseUsd, zeroUsd } from '../../src/core/money.ts'
import type { PriceBook } from '../../src/core/price-book.ts'
import { createAlerts } from '../../src/guard/alerts/alerts.ts'
import { defaultRules } from '../../src/guard/alerts/default-rules.ts'
import { createBudgetGuard } from '../../src/guard/budget-guard.ts'
import { memoryBook } from '../../src/guard/memory-book.ts'
import type { Notifier } from '../../src/guard/notifiers/notifier.ts'
import type { EventJson } from '../../src/intake/event-json.ts'
import { createIntake } from '../../src/intake/intake.ts'
import type { AlertRecord } from '../../src/ledger/alert-store.ts'
import { sqliteAlerts } from '../../src/ledger/sqlite/alerts.ts'
import { sqliteStore } from '../../src/ledger/sqlite/sqlite-store.ts'

const momentMs = 60_000

export interface Told {
  readonly at: number
  readonly transition: 'firing' | 'resolved'
  readonly alert: AlertRecord
}

/** The default rules on a real ledger, at a time that the test says; `told` is what a receiver got. */
export const watchFleet = async (
  events: readonly EventJson[],
  { book, dailyUsd }: { readonly book: () => PriceBook; readonly dailyUsd: string },
) => {
  const folder = mkdtempSync(join(tmpdir(), 'taximeter-fleet-'))
  const path = join(folder, 'taximeter.db')
  const time = { now: Number(events[0]?.at ?? 0) }
  const now = (): number => time.now
  const store = await sqliteStore({ path, durability: 'normal' })
  const intake = createIntake({ store, book, now })
  const budgets = await createBudgetGuard({
    budgets: [dailyBudget('UTC', parseUsd(dailyUsd) ?? zeroUsd)],
    prices: book,
    book: memoryBook(),
    store,
    now,
    holder: 'test',
  })
  intake.onCounted(budgets.observe)
  const told: Told[] = []
  const receiver: Notifier = {
    name: 'receiver',
    send: async ({ alerts, transition }) => void told.push(...alerts.map((alert) => ({ at: now(), transition, alert }))),
    close: async () => {},
  }
  const failures: unknown[] = []
  const start = () =>
    createAlerts({
      setup: { rules: defaultRules(Number(dailyUsd)), silences: [], notifiers: [receiver] },
      store: sqliteAlerts({ path }),
      evidence: evidenceOf(store, 'UTC', () => budgets.status()),
      now,
      random: () => 0,
      zone: 'UTC',
      onError: (error) => void failures.push(error),
    })
  let engine = await start()
  intake.onCounted((counted) => counted !== undefined && engine.observe(counted))

  let next = 0
  const admitUntil = async (at: number): Promise<void> => {
    while (next < events.length && Number(events[next]?.at) <= at) {
      let end = next
      while (end < events.length && end - next < 1_000 && Number(events[end]?.at) <= at) end += 1
      time.now = Number(events[end - 1]?.at)
      const results = await intake.admit(events.slice(next, end), { source: 'sdk' })
      const refused = results.find(({ outcome }) => outcome !== 'accepted')
      if (refused !== undefined) throw new Error(`An event was not taken: ${JSON.stringify(refused)}`)
      next = end
    }
    time.now = at
  }

  return {
    told,
    failures,
    now,
    /** Plays what happens until `to`, with a round a moment before every `everyMs` is full, and one at the end. */
    async play(to: number, everyMs: number): Promise<void> {
      while (time.now < to) {
        await admitUntil(Math.min(to, (Math.floor((time.now + momentMs) / everyMs) + 1) * everyMs - momentMs))
        await engine.evaluate()
        await engine.delivered()
      }
    },
    /** As after `kill -9`: the old engine is left as it is, and another begins from the file. */
    async restart(): Promise<void> {
      engine = await start()
    },
    alerts: () => engine.list(100),
    async close(): Promise<void> {
      await engine.close()
      await budgets.close()
      await store.close()
      rmSync(folder, { recursive: true })
    },
  }
}
