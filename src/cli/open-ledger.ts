import { existsSync } from 'node:fs'
import type { Config } from '../config/settings.ts'
import { TaximeterError } from '../core/errors.ts'
import { sqliteStore } from '../ledger/sqlite/sqlite-store.ts'
import type { Store } from '../ledger/store.ts'

/** The ledger that the configuration names. A command that only reads asks that it exist, so that a mistyped path makes no empty file. */
export const openLedger = (config: Pick<Config, 'data' | 'durability'>, { mustExist }: { readonly mustExist: boolean }): Promise<Store> => {
  if (mustExist && !existsSync(config.data)) {
    throw new TaximeterError(
      'NOT_FOUND',
      `There is no ledger at ${config.data}. Name its file with --data, or run "taximeter" to begin one.`,
    )
  }
  return sqliteStore({ path: config.data, durability: config.durability })
}
