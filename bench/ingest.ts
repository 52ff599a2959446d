import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'

export interface IngestResult {
  /** Events acknowledged through HTTP, and rows of the same content inserted by nothing but node:sqlite, a second; medians. */
  readonly eventsPerSecond: number
  readonly rowsPerSecond: number
  readonly ratio: number
  readonly limit: number
  readonly idleRssMb: number
  readonly idleCpuShare: number
  /** Microseconds of a processor for an event, all threads of the server together, and for a bare row. Other work on the machine does not show in these. */
  readonly eventCpuUs: number
  readonly rowCpuUs: number
  readonly rounds: readonly Round[]
}

interface Round {
  readonly eventsPerSecond: number
  readonly rowsPerSecond: number
  readonly eventCpuUs: number
  readonly rowCpuUs: number
}

const batchSize = 1_000
const connections = 8
const warmUpBatches = 20

/**
 * Bench (a): events acknowledged through HTTP ÷ bare node:sqlite inserts of the same rows, in batches of 1,000, with the same
 * indexes. The rows and the indexes are read from the ledger that the events made, so that both sides write the same.
 */
export const benchIngest = async (events = 100_000, rounds = 3): Promise<IngestResult> => {
  const folder = mkdtempSync(join(tmpdir(), 'taximeter-bench-'))
  try {
    const measured: Round[] = []
    let idle = { rssMb: 0, cpuShare: 0 }
    for (let round = 0; round < rounds; round += 1) {
      const path = join(folder, `ledger-${round}.db`)
      const server = await startServer(path)
      if (round === 0) idle = await measureIdle(server.child)
      const bodies = bodiesOf(events + warmUpBatches * batchSize)
      // Code that has not run yet is slow on both sides; a server runs for days.
      await sendAll(server.port, bodies.slice(0, warmUpBatches))
      const before = await usageOf(server.child)
      const eventsPerSecond = await sendAll(server.port, bodies.slice(warmUpBatches))
      const eventCpuUs = (((await usageOf(server.child)).cpuMs - before.cpuMs) * 1_000) / events
      await server.close()
      measured.push({ eventsPerSecond, eventCpuUs, ...insertBare(path, join(folder, `bare-${round}.db`)) })
    }
    const middle = (of: (round: Round) => number): number => median(measured.map(of))
    return {
      eventsPerSecond: middle((round) => round.eventsPerSecond),
      rowsPerSecond: middle((round) => round.rowsPerSecond),
      ratio: middle((round) => round.eventsPerSecond / round.rowsPerSecond),
      eventCpuUs: middle((round) => round.eventCpuUs),
      rowCpuUs: middle((round) => round.rowCpuUs),
      limit: 0.3,
      idleRssMb: idle.rssMb,
      idleCpuShare: idle.cpuShare,
      rounds: measured,
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const startServer = async (path: string) => {
  const child = fork(join(import.meta.dirname, 'ingest-server.ts'), [path], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const { port } = await reply<{ port: number }>(child)
  return {
    child,
    port,
    close: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.send('close')
      await ended
    },
  }
}

const reply = <Reply>(child: ChildProcess): Promise<Reply> =>
  new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Reply))
    child.once('exit', (code) => reject(new Error(`The bench's server ended with ${code}.`)))
  })

const usageOf = (child: ChildProcess) => {
  const told = reply<{ rss: number; cpuMs: number }>(child)
  child.send('usage')
  return told
}

const measureIdle = async (child: ChildProcess) => {
  await wait(1_000)
  const before = await usageOf(child)
  await wait(3_000)
  const after = await usageOf(child)
  return { rssMb: after.rss / 1_048_576, cpuShare: (after.cpuMs - before.cpuMs) / 3_000 }
}

/** Calls of a small fleet: 50 agents, 30 tasks, 5 models, 6 calls a run, one of ten a tool. */
const bodiesOf = (events: number): readonly Buffer[] => {
  const bodies: Buffer[] = []
  const start = Date.now() - events
  for (let first = 0; first < events; first += batchSize) {
    const batch = Array.from({ length: Math.min(batchSize, events - first) }, (_, index) => eventOf(first + index, start))
    bodies.push(Buffer.from(JSON.stringify(batch)))
  }
  return bodies
}

const models = [
  ['openai', 'gpt-4.1'],
  ['openai', 'gpt-4.1-mini'],
  ['anthropic', 'claude-sonnet-4-5'],
  ['gemini', 'gemini-2.5-flash'],
  ['openai', 'gpt-4o'],
] as const

const eventOf = (index: number, start: number) => {
  const at = start + index
  const run = Math.floor(index / 6)
  const agent = run % 50
  const base = {
    id: uuidAt(at),
    at: new Date(at).toISOString(),
    status: 'ok',
    durationMs: 300 + ((index * 37) % 900),
    agent: `agent-${agent}`,
    session: `s-${Math.floor(run / 3)}`,
    run: `r-${start.toString(36)}-${run}`,
    step: `step-${index % 6}`,
    task: `task-${run % 30}`,
    release: `2026-11-${10 + (run % 5)}`,
    environment: 'prod',
    team: `team-${agent % 5}`,
  }
  if (index % 10 === 9) return { ...base, kind: 'tool', tool: `tool-${index % 7}`, costUsd: '0.005' }
  const [provider, model] = models[index % models.length] ?? models[0]
  const usage = { input: 200 + ((index * 131) % 3_000), cache_read: (index * 17) % 800, output: 50 + ((index * 71) % 700) }
  return { ...base, kind: 'llm', provider, model, operation: 'chat', usage, attempt: 0, callKey: `${provider}:call-${at}-${index}` }
}

/** Version 7: the time, then random. */
const uuidAt = (at: number): string => {
  const hex = at.toString(16).padStart(12, '0') + randomBytes(10).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

const sendAll = async (port: number, bodies: readonly Buffer[]): Promise<number> => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  let next = 0
  let accepted = 0
  const sender = async (): Promise<void> => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const count = await post(port, agent, body)
      accepted += count
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: connections }, sender))
  const seconds = (performance.now() - began) / 1_000
  agent.destroy()
  if (accepted !== bodies.length * batchSize) throw new Error(`Only ${accepted} events of ${bodies.length * batchSize} were accepted.`)
  return accepted / seconds
}

/** How many were accepted. The counts stand at the end of the answer, so that the sender need not read all of it as JSON. */
const post = (port: number, agent: Agent, body: Buffer): Promise<number> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    const sent = request({ port, host: '127.0.0.1', agent, method: 'POST', path: '/v1/events', headers }, (response) => {
      let tail = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        tail = (tail + chunk).slice(-100)
      })
      response.on('end', () => {
        const count = /"counts":\{"accepted":(\d+)/.exec(tail)?.[1]
        if (response.statusCode === 200 && count !== undefined) resolve(Number(count))
        else reject(new Error(`Status ${response.statusCode}: ${tail}`))
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })

/** The ledger's own rows, written again by nothing but node:sqlite. */
const insertBare = (from: string, to: string): Pick<Round, 'rowsPerSecond' | 'rowCpuUs'> => {
  const source = new DatabaseSync(from, { readOnly: true })
  const definitions = source.prepare(
    "SELECT sql FROM sqlite_master WHERE tbl_name = 'entries' AND type IN ('table', 'index') AND sql IS NOT NULL ORDER BY type DESC",
  )
  const target = new DatabaseSync(to)
  target.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  for (const { sql } of definitions.all()) target.exec(String(sql))
  const read = source.prepare('SELECT * FROM entries ORDER BY rowid')
  read.setReturnArrays(true)
  read.setReadBigInts(true)
  const rows = read.all() as unknown as (string | bigint | null | Uint8Array)[][]
  const insert = target.prepare(`INSERT INTO entries VALUES (${rows[0]?.map(() => '?').join(', ')})`)
  const began = performance.now()
  const cpu = process.cpuUsage()
  for (let first = 0; first < rows.length; first += batchSize) {
    target.exec('BEGIN')
    for (const row of rows.slice(first, first + batchSize)) insert.run(...row)
    target.exec('COMMIT')
  }
  const seconds = (performance.now() - began) / 1_000
  const { user, system } = process.cpuUsage(cpu)
  source.close()
  target.close()
  return { rowsPerSecond: rows.length / seconds, rowCpuUs: (user + system) / rows.length }
}

const median = (values: readonly number[]): number => [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0

if (import.meta.main) {
  const figures = await benchIngest()
  const show = (value: number) => Math.round(value).toLocaleString('en')
  console.log(
    `ingest   ${show(figures.eventsPerSecond)} events/s acknowledged, ${show(figures.rowsPerSecond)} bare rows/s: ratio ${figures.ratio.toFixed(2)} (at least ${figures.limit})`,
  )
  console.log(`each     ${figures.rounds.map((round) => (round.eventsPerSecond / round.rowsPerSecond).toFixed(2)).join(' ')}`)
  console.log(`cpu      ${figures.eventCpuUs.toFixed(1)} µs an event, all threads; ${figures.rowCpuUs.toFixed(1)} µs a bare row`)
  console.log(
    `idle     ${figures.idleRssMb.toFixed(0)} MB resident from source (at most 120 as built), ${(figures.idleCpuShare * 100).toFixed(2)} % of a core`,
  )
}
