import { setTimeout as after } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createRandom, type Random } from '../browser/random.ts'
import { allEntries, allRuns, pico, post, query, rowsBy, sumOf } from './asking.ts'
import { openSandbox, type Serving } from './sandbox.ts'

const livesOfServing = 20
const livesOfStarting = 2
/** Most lives are ended after so many acknowledged batches, every fourth before the first, and each a little later than that. */
const batchesMin = 8
const batchesMax = 24
const momentMsMax = 40
/** Starting takes some half a second: any moment of it, and a little after. */
const startMsMax = 800
const sendersAtOnce = 4

interface Sent {
  readonly id: string
  readonly kind: 'llm' | 'tool'
  readonly task: string
  readonly input: number
  readonly output: number
}

/** Small batches without end; what was sent and not acknowledged is sent again, as a client does. */
const createStream = (random: Random) => {
  const sent = new Map<string, Sent & Record<string, unknown>>()
  const acknowledged = new Set<string>()
  const again: (readonly object[])[] = []
  let runs = 0

  const nextEvent = () => {
    const kind = random.below(10) === 0 ? 'tool' : 'llm'
    const input = 1 + random.below(5_000)
    const output = random.below(900)
    const event = {
      id: random.uuid7(Date.now()),
      at: Date.now() - random.below(3_600_000),
      kind,
      task: `task-${random.below(4)}`,
      run: `run-${(runs += random.below(6) === 0 ? 1 : 0)}`,
      agent: `agent-${random.below(3)}`,
      ...(kind === 'tool'
        ? { tool: 'search', costUsd: '0.005' }
        : { provider: 'openai', model: 'gpt-4.1', usage: { input, ...(output > 0 && { output }) }, callKey: `openai:${sent.size}` }),
    } as const
    sent.set(event.id, { ...event, kind, input, output })
    return event
  }

  const sendOne = async (url: string, batch: readonly object[]): Promise<void> => {
    again.push(batch)
    const { status, body } = await post(url, batch)
    if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`)
    for (const result of body.results) {
      if (result.outcome === 'rejected') throw new Error(result.message)
      acknowledged.add(result.id)
    }
    again.splice(again.indexOf(batch), 1)
  }

  return {
    sent,
    acknowledged,
    /** Until the server is gone. */
    async sendUntilEnd(url: string, onAcknowledged: () => void): Promise<void> {
      const retries = again.splice(0)
      const sender = async (): Promise<void> => {
        for (;;) {
          await sendOne(url, retries.pop() ?? Array.from({ length: 1 + random.below(6) }, nextEvent))
          onAcknowledged()
        }
      }
      await Promise.allSettled(Array.from({ length: sendersAtOnce }, sender))
      again.push(...retries)
    },
    async sendTheRest(url: string): Promise<void> {
      for (const batch of again.splice(0)) await sendOne(url, batch)
    },
  }
}

test('kill -9 at 22 random moments of ingest loses nothing that was acknowledged and counts nothing twice', async () => {
  await using sandbox = openSandbox()
  const random = createRandom(20_261_122)
  const stream = createStream(random)
  for (let life = 0; life < livesOfServing; life += 1) {
    const server = await sandbox.serve()
    const enough = Promise.withResolvers<void>()
    let batches = life % 4 === 0 ? 0 : batchesMin + random.below(batchesMax - batchesMin)
    if (batches === 0) enough.resolve()
    const sending = stream.sendUntilEnd(server.url, () => {
      batches -= 1
      if (batches === 0) enough.resolve()
    })
    await enough.promise
    await after(random.next() * momentMsMax)
    await server.stop('SIGKILL')
    await sending
    // What was acknowledged is there before anything is sent again.
    const kept = new Set(sandbox.rows('SELECT lower(hex(id)) AS id FROM entries').map(({ id }) => id))
    const lost = [...stream.acknowledged].filter((id) => !kept.has(id.replaceAll('-', '')))
    expect(lost, `life ${life}`).toEqual([])
  }
  // In the middle of opening a file whose writer was killed, too.
  for (let life = 0; life < livesOfStarting; life += 1) {
    const child = sandbox.start(['serve', '--port', '0'])
    await after(random.next() * startMsMax)
    const gone = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGKILL')
    await gone
  }
  const server = await sandbox.serve()
  await stream.sendTheRest(server.url)
  await expectEverythingOnce(server, stream.sent)
  expect(await server.stop()).toBe(0)
  expectPlainSql(sandbox.rows, stream.sent)
  // The file is whole.
  expect(sandbox.rows('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
}, 120_000)

const costOf = ({ kind, input, output }: Sent): bigint =>
  kind === 'tool' ? 5_000_000_000n : BigInt(input) * 2_000_000n + BigInt(output) * 8_000_000n

/** Report, runs, metrics and raw entries say the same, and that is what was sent. */
const expectEverythingOnce = async ({ url }: Serving, sent: ReadonlyMap<string, Sent>): Promise<void> => {
  expect(sent.size).toBeGreaterThan(500)
  const all = [...sent.values()]
  const cost = sumOf(all.map(costOf))
  const raw = await allEntries(url, 'last=24h')
  expect(raw.map(({ id }) => id).toSorted()).toEqual([...sent.keys()].toSorted())
  expect(sumOf(raw.map(({ charge }) => (charge.basis === 'unpriced' ? 0n : pico(charge.totalUsd))))).toBe(cost)
  const { totals, rows } = await query(url, 'measure=cost,calls,promptTokens,completionTokens&by=task&last=24h')
  expect([pico(totals.cost), totals.calls]).toEqual([cost, all.length])
  for (const [task, row] of rowsBy(rows, 'task')) {
    const here = all.filter((event) => event.task === task)
    const calls = here.filter(({ kind }) => kind === 'llm')
    expect([task, pico(row.cost), row.calls, row.promptTokens, row.completionTokens]).toEqual([
      task,
      sumOf(here.map(costOf)),
      here.length,
      calls.reduce((sum, { input }) => sum + input, 0),
      calls.reduce((sum, { output }) => sum + output, 0),
    ])
  }
  const runs = await allRuns(url)
  expect(sumOf(runs.map((run) => pico(run.costUsd)))).toBe(cost)
}

const expectPlainSql = (rows: (sql: string) => readonly Record<string, unknown>[], sent: ReadonlyMap<string, Sent>): void => {
  const calls = [...sent.values()].filter(({ kind }) => kind === 'llm')
  const [view] = rows(
    'SELECT count(*) AS calls, count(DISTINCT id) AS ids, sum(prompt_tokens) AS prompt, sum(completion_tokens) AS completion, sum(cost) AS cost FROM token_usage',
  )
  expect(view).toMatchObject({
    calls: calls.length,
    ids: calls.length,
    prompt: calls.reduce((sum, { input }) => sum + input, 0),
    completion: calls.reduce((sum, { output }) => sum + output, 0),
  })
  expect(Number(view?.cost)).toBeCloseTo(Number(sumOf(calls.map(costOf))) / 1e12, 9)
}
