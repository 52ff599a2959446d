import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { AlertRecord, AlertStore, Delivery } from '../alert-store.ts'
import { besideLedger } from './beside-ledger.ts'

const schema = `
CREATE TABLE IF NOT EXISTS alert (
  id TEXT PRIMARY KEY,
  started_at INTEGER NOT NULL,
  resolved_at INTEGER,
  state TEXT NOT NULL,
  record TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS alert_started ON alert (started_at);
CREATE TABLE IF NOT EXISTS alert_delivery (
  alert TEXT NOT NULL,
  transition TEXT NOT NULL,
  notifier TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  outcome TEXT,
  PRIMARY KEY (alert, transition, notifier)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS alert_delivery_owed ON alert_delivery (next_at) WHERE outcome IS NULL;
`

/** Alerts and what is owed to notifiers, in the ledger's file (see beside-ledger.ts). */
export const sqliteAlerts = ({ path }: { readonly path: string }): AlertStore => {
  const beside = besideLedger({ path, schema, prepare: statementsOf, what: 'The alerts' })
  return {
    load: (since) =>
      beside.read((statements) => ({
        alerts: statements.alertsSince.all(since).map(alertOf),
        deliveries: statements.owed.all().map(deliveryOf),
      })),
    write: ({ alerts, deliveries, dropped, forgetBefore }) =>
      beside.write((statements) => {
        for (const id of dropped) statements.drop.run(id)
        for (const alert of alerts)
          statements.put.run(alert.id, alert.startedAt, alert.resolvedAt ?? null, alert.state, JSON.stringify(alert))
        for (const each of deliveries)
          statements.putDelivery.run(each.alert, each.transition, each.notifier, each.attempts, each.nextAt, each.outcome ?? null)
        statements.forgetDeliveries.run(forgetBefore)
        statements.forget.run(forgetBefore)
      }),
    history: (limit) => beside.read((statements) => statements.history.all(limit).map(alertOf)),
    close: async () => beside.close(),
  }
}

const statementsOf = (database: DatabaseSync) =>
  ({
    alertsSince: database.prepare('SELECT record FROM alert WHERE resolved_at IS NULL OR resolved_at >= ? ORDER BY started_at'),
    owed: database.prepare('SELECT * FROM alert_delivery WHERE outcome IS NULL'),
    history: database.prepare("SELECT record FROM alert WHERE state <> 'pending' ORDER BY started_at DESC, id LIMIT ?"),
    put: database.prepare('INSERT OR REPLACE INTO alert (id, started_at, resolved_at, state, record) VALUES (?, ?, ?, ?, ?)'),
    drop: database.prepare('DELETE FROM alert WHERE id = ?'),
    putDelivery: database.prepare(
      'INSERT OR REPLACE INTO alert_delivery (alert, transition, notifier, attempts, next_at, outcome) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    forgetDeliveries: database.prepare('DELETE FROM alert_delivery WHERE alert IN (SELECT id FROM alert WHERE resolved_at < ?)'),
    forget: database.prepare('DELETE FROM alert WHERE resolved_at < ?'),
  }) satisfies Record<string, StatementSync>

const alertOf = (row: Readonly<Record<string, unknown>>): AlertRecord => JSON.parse(String(row.record)) as AlertRecord

const deliveryOf = (row: Readonly<Record<string, unknown>>): Delivery => ({
  alert: String(row.alert),
  transition: String(row.transition) as Delivery['transition'],
  notifier: String(row.notifier),
  attempts: Number(row.attempts),
  nextAt: Number(row.next_at),
  ...(row.outcome !== null && { outcome: String(row.outcome) as NonNullable<Delivery['outcome']> }),
})
