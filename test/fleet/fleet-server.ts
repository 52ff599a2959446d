import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify as yamlText } from 'yaml'
import { type Listening, listen } from '../../src/cli/listen.ts'
import { createLog } from '../../src/cli/log.ts'
import { type Wired, wire } from '../../src/cli/wire.ts'
import { type LoadedConfig, loadConfig } from '../../src/config/load-config.ts'
import type { Measure } from '../../src/core/question.ts'
import type { EventJson, IngestAnswer } from '../../src/server/api.ts'

const momentMs = 60_000
const batchMax = 1_000

export interface FleetServer {
  readonly url: string
  readonly now: () => number
  /** Plays what happens until `to`, with a round a moment before every `everyMs` is full, and one at the end. */
  play(to: number, everyMs: number): Promise<void>
  /** The program ends, and begins again where it listened before. */
  restart(): Promise<void>
  /** Puts another configuration in force, as SIGHUP does. */
  configure(config: object): Promise<void>
  /** A measure by model, of all that has been, as the ledger has it. */
  byModel(measure: Measure): Promise<Readonly<Record<string, string>>>
  alerts(): ReturnType<Wired['alerts']['list']>
  /** Lines of the log that say that something failed. */
  readonly failures: readonly string[]
  close(): Promise<void>
}

/** `taximeter serve` as it is wired, on a port of this machine and at a time that the test says: events come over HTTP, in the order of time. */
export const serveFleet = async (events: readonly EventJson[], begin: object): Promise<FleetServer> => {
  const folder = mkdtempSync(join(tmpdir(), 'taximeter-fleet-'))
  const path = join(folder, 'taximeter.yaml')
  const time = { now: Number(events[0]?.at ?? 0) }
  const now = (): number => time.now
  const failures: string[] = []
  const log = createLog('error', (line) => void failures.push(line))
  const read = (config: object): LoadedConfig => {
    writeFileSync(path, yamlText({ ...config, data: join(folder, 'taximeter.db') }))
    return loadConfig({ path, isOptional: false, environment: {} })
  }
  let loaded = read(begin)
  const start = async (port: number): Promise<{ readonly wired: Wired; readonly listening: Listening }> => {
    const wired = await wire(loaded, { log, now })
    return { wired, listening: await listen(wired.server, { host: '127.0.0.1', port, hasKeys: false }) }
  }
  let running = await start(0)
  const { url } = running.listening
  const stop = async (): Promise<void> => {
    await running.listening.close()
    await running.wired.close()
  }

  const send = async (batch: readonly EventJson[]): Promise<void> => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${url}/v1/events`, { method: 'POST', headers, body: JSON.stringify(batch) })
    const { counts } = (await answer.json()) as IngestAnswer
    if (counts.accepted !== batch.length) throw new Error(`Not every event was taken: ${JSON.stringify(counts)}`)
  }
  let next = 0
  const sendUntil = async (at: number): Promise<void> => {
    while (next < events.length && Number(events[next]?.at) <= at) {
      let end = next
      while (end < events.length && end - next < batchMax && Number(events[end]?.at) <= at) end += 1
      time.now = Number(events[end - 1]?.at)
      await send(events.slice(next, end))
      next = end
    }
    time.now = at
  }

  return {
    url,
    now,
    failures,
    async play(to, everyMs) {
      while (time.now < to) {
        await sendUntil(Math.min(to, (Math.floor((time.now + momentMs) / everyMs) + 1) * everyMs - momentMs))
        const { alerts } = running.wired
        await alerts.evaluate()
        // Time goes by between rounds, which is enough to learn in.
        await alerts.learned()
        await alerts.delivered()
      }
    },
    async restart() {
      await stop()
      running = await start(Number(new URL(url).port))
    },
    async configure(config) {
      loaded = read(config)
      await running.wired.reload(loaded)
    },
    async byModel(measure) {
      const question = { measures: [measure], by: ['model'], from: Number(events[0]?.at ?? 0), to: now() + 1, zone: 'UTC' } as const
      const { rows } = await running.wired.store.ask({ ...question, where: [{ by: 'kind', values: ['llm'] }] })
      return Object.fromEntries(rows.map((row) => [String(row.model), String(row[measure])]))
    },
    alerts: () => running.wired.alerts.list(100),
    async close() {
      await stop()
      rmSync(folder, { recursive: true })
    },
  }
}
