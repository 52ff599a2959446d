import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SelfCheck, SelfCheckPoint } from '../../analysis/self-check.ts'
import { loadConfig } from '../../config/load-config.ts'
import { TokenTracker } from '../../sdk/token-tracker.ts'
import { createPlayback, playChat } from '../../testing.ts'
import { repriceCommand } from '../commands/reprice.ts'
import type { Io } from '../io.ts'
import { listen } from '../listen.ts'
import { createLog } from '../log.ts'
import { wire } from '../wire.ts'
import { selfCheck } from './self-check.ts'

// Each point that is missing names what to add: here it is added, word for word, and the point has to hold.

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'taximeter-doctor-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const path = (name: string): string => join(folder, name)
const configure = (yaml: string): void => writeFileSync(path('taximeter.yaml'), yaml)

const run = async (command: typeof repriceCommand, argv: readonly string[]): Promise<void> => {
  const io: Io = {
    out: () => {},
    err: () => {},
    input: Readable.from([]),
    environment: { TAXIMETER_CONFIG: path('taximeter.yaml'), TAXIMETER_DATA: path('taximeter.db'), TAXIMETER_PORT: '0' },
    now: Date.now,
    isTerminal: false,
    stop: new AbortController().signal,
    onReload: () => () => {},
    setExitCode: () => {},
  }
  await command(io)
    .exitOverride()
    .parseAsync([...argv], { from: 'user' })
}

const loaded = () => loadConfig({ path: path('taximeter.yaml'), isOptional: false, environment: { TAXIMETER_DATA: path('taximeter.db') } })
const checked = (): Promise<SelfCheck> => selfCheck(loaded(), { now: Date.now })
const missing = ({ points }: SelfCheck): readonly string[] => points.filter(({ isDone }) => !isDone).map(({ id }) => id)
const addOf = ({ points }: SelfCheck, id: SelfCheckPoint['id']): string => points.find((point) => point.id === id)?.add ?? ''
/** Of two ways the first, without what is said of it. */
const codeOf = (check: SelfCheck, id: SelfCheckPoint['id']): string => addOf(check, id).split(/ {4}or |, and a task/)[0] ?? ''
const yamlOf = (check: SelfCheck, id: SelfCheckPoint['id']): string =>
  addOf(check, id).split(/ (?:under alerts )?in taximeter\.yaml/)[0] ?? ''

type Body = (...given: readonly unknown[]) => Promise<unknown>
const AsyncFunction = (async () => {}).constructor as new (...parts: readonly string[]) => Body
/** Runs a line as a program would hold it, with what it names handed in. */
const evaluate = (code: string, given: Readonly<Record<string, unknown>>): Promise<unknown> =>
  new AsyncFunction(...Object.keys(given), code)(...Object.values(given))

/** A server on the folder's ledger and configuration, for as long as `use` takes. */
const serving = async (use: (url: string) => Promise<void>): Promise<void> => {
  const wired = await wire(loaded(), { log: createLog('silent', () => {}), now: Date.now })
  const listening = await listen(wired.server, { host: '127.0.0.1', port: 0, hasKeys: false })
  try {
    await use(listening.url)
  } finally {
    await listening.close()
    await wired.close()
  }
}

test('from an empty folder to nine of nine, by adding what is named', async () => {
  configure('')
  const empty = await checked()
  expect([empty.done, missing(empty)]).toEqual([3, ['runs', 'events', 'tools', 'releases', 'models', 'budgets']])
  configure(yamlOf(empty, 'budgets'))
  const upstream = createPlayback({ 'POST /v1/chat/completions': playChat() })
  const base = await upstream.listen()
  await serving(async (url) => {
    const named = (await evaluate(`return ${codeOf(empty, 'events')}`, { TokenTracker, url })) as TokenTracker
    await named.close()
    const agent = /agent: '([\w-]+)'/.exec(codeOf(empty, 'events'))?.[1]
    const tracker = (await evaluate(`return ${codeOf(empty, 'releases')}`, { TokenTracker, url, agent })) as TokenTracker
    const body = JSON.stringify({ model: 'gpt-4.1', messages: [] })
    const call = async () => (await tracker.fetch(`${base}/v1/chat/completions`, { method: 'POST', body })).text()
    const inRun = `await call(); ${codeOf(empty, 'tools')}`
    await evaluate(codeOf(empty, 'runs').replace('…', inRun), { tracker, call, search: async () => [], query: '' })
    await tracker.close()
  })
  await upstream.close()
  const full = await checked()
  expect([full.done, missing(full)]).toEqual([9, []])
})

test('models and tools without a price have one after what is named was added, and what was recorded is priced again', async () => {
  configure('')
  const common = { agent: 'a', task: 't', run: 'r', release: '1', status: 'ok', durationMs: 5 }
  const used = [
    ...['acme-1', 'acme:2'].map((model) => ({ ...common, kind: 'llm', provider: 'acme', model, usage: { input: 10 } })),
    ...['look-up', 'mail'].map((tool) => ({ ...common, kind: 'tool', tool })),
  ]
  const send = (times: number) =>
    serving(async (url) => {
      const events = Array.from({ length: times }, () => used.map((each) => ({ ...each, id: randomUUID(), at: Date.now() }))).flat()
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(`${url}/v1/events`, { method: 'POST', headers, body: JSON.stringify(events) })
      expect(await response.json()).toMatchObject({ counts: { accepted: events.length } })
    })
  await send(1)
  const before = await checked()
  expect(missing(before)).toEqual(['tools', 'models', 'budgets'])
  configure(`${yamlOf(before, 'models')}\n${yamlOf(before, 'tools')}\n`)
  const [, ...reprice] = /taximeter (reprice.*)$/.exec(addOf(before, 'models'))?.[1]?.split(' ') ?? []
  expect(reprice.length).toBe(6)
  await run(repriceCommand, reprice)
  // Of tools what was used before stays without a cost: most uses have to be new ones.
  await send(25)
  expect(missing(await checked())).toEqual(['budgets'])
})

test('rules that are turned off are there after what is named was added to it', async () => {
  configure('defaultAlerts: none')
  const none = await checked()
  expect(missing(none).slice(-2)).toEqual(['tail', 'burn'])
  configure(`defaultAlerts: none\nalerts:\n  ${yamlOf(none, 'tail')}\n  ${yamlOf(none, 'burn')}\n`)
  expect(missing(await checked())).not.toEqual(expect.arrayContaining(['tail', 'burn']))
  expect((await checked()).points.find(({ id }) => id === 'burn')?.isDone).toBe(true)
})
