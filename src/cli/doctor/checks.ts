import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { LoadedConfig } from '../../config/load-config.ts'
import { sentenceOf } from '../../core/errors.ts'
import { offsetAt } from '../../core/window.ts'
import { alertingOf } from '../alerting.ts'
import type { Io } from '../io.ts'
import { createLog } from '../log.ts'
import { openLedger } from '../open-ledger.ts'
import { oneCall } from './one-call.ts'

export interface Check {
  readonly name: string
  readonly outcome: 'ok' | 'warning' | 'failed'
  readonly says: string
}

/** Each check by itself: one that fails does not hide the others. */
export const checksOf = async (loaded: LoadedConfig, io: Pick<Io, 'now'>): Promise<readonly Check[]> => {
  const checks: Check[] = []
  for (const [name, check] of Object.entries(all)) {
    try {
      checks.push({ name, ...(await check(loaded, io)) })
    } catch (error) {
      checks.push({ name, outcome: 'failed', says: sentenceOf(error) })
    }
  }
  return checks
}

type Outcome = Omit<Check, 'name'>
const ok = (says: string): Outcome => ({ outcome: 'ok', says })

const all: Readonly<Record<string, (loaded: LoadedConfig, io: Pick<Io, 'now'>) => Outcome | Promise<Outcome>>> = {
  'time zone': ({ config }, { now }) => ok(`${config.zone}, now ${offsetAt(now(), config.zone) / 3_600_000} hours ahead of UTC`),

  clock: (_, { now }) =>
    now() > Date.UTC(2026, 0, 1)
      ? ok(new Date(now()).toISOString())
      : { outcome: 'failed', says: `The clock says ${new Date(now()).toISOString()}: set it, or every call is priced at a wrong date.` },

  'ledger folder': ({ config }) => {
    const folder = dirname(resolve(config.data))
    accessSync(folder, constants.W_OK)
    return ok(`${folder} can be written`)
  },

  ledger: async ({ config }) => {
    if (!existsSync(config.data)) return ok('none yet; it begins with the first call')
    const store = await openLedger(config, { mustExist: true })
    try {
      const { entries, bytes, schema, settings } = await store.describe()
      return ok(
        `${entries} entries, ${bytes} bytes, schema ${schema}, ${Object.entries(settings)
          .map(([name, value]) => `${name} ${value}`)
          .join(', ')}`,
      )
    } finally {
      await store.close()
    }
  },

  alerts: async (loaded, { now }) => {
    const { rules, notifiers } = alertingOf(
      loaded,
      createLog('silent', () => {}),
      now,
    )
    await Promise.all(notifiers.map((notifier) => notifier.close()))
    return ok(`${rules.length} rules; ${notifiers.map(({ name }) => name).join(', ')} would be told`)
  },

  port: async ({ config }) => {
    const isFree = await new Promise<boolean>((answer) => {
      const probe = createServer().once('error', () => answer(false))
      probe.listen(config.port, config.host, () => probe.close(() => answer(true)))
    })
    return isFree
      ? ok(`${config.host}:${config.port} is free`)
      : { outcome: 'warning', says: `${config.host}:${config.port} is taken: a server runs already, or choose another --port` }
  },

  'one call': async (loaded, io) => {
    const folder = mkdtempSync(join(tmpdir(), 'taximeter-doctor-'))
    try {
      return ok(await oneCall({ ...loaded, config: { ...loaded.config, data: join(folder, 'taximeter.db') } }, io.now))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}
