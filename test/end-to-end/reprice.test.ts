import { copyFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as after } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createRandom } from '../browser/random.ts'
import { allEntries, pico, post, query, sumOf } from './asking.ts'
import { dataFile, openSandbox, type Sandbox } from './sandbox.ts'

interface Repriced {
  readonly looked: number
  readonly changed: number
  readonly beforeUsd: string
  readonly afterUsd: string
  readonly differenceUsd: string
  readonly rows: readonly { readonly model: string; readonly day: string; readonly calls: number; readonly differenceUsd: string }[]
}

const book = (input: string, output: string): string =>
  `prices: { models: { acme/large: { rates: { input: '${input}', output: '${output}' } } } }\n`

/** Several pages of calls of two models over two days; only one of them will cost otherwise. */
const calls = (count: number) => {
  const random = createRandom(3)
  return Array.from({ length: count }, (_, index) => ({
    id: random.uuid7(Date.now()),
    at: Date.now() - 3_600_000 - (index % 2) * 86_400_000,
    kind: 'llm',
    ...(index % 5 === 0 ? { provider: 'openai', model: 'gpt-4.1' } : { provider: 'acme', model: 'large' }),
    usage: { input: 1 + random.below(4_000), output: 1 + random.below(900) },
    task: `task-${index % 3}`,
    run: `run-${index >> 3}`,
  }))
}

const report = async (sandbox: Sandbox, data = dataFile): Promise<bigint> => {
  const { out, err } = await sandbox.taximeter(['report', '--measure', 'cost', '--by', 'task', '--last', '7d', '--json', '--data', data])
  expect(err).toBe('')
  const answer = JSON.parse(out) as { readonly totals: { readonly cost: string }; readonly rows: readonly { readonly cost: string }[] }
  expect(sumOf(answer.rows.map(({ cost }) => pico(cost)))).toBe(pico(answer.totals.cost))
  return pico(answer.totals.cost)
}

const reprice = async (sandbox: Sandbox, argv: readonly string[], data = dataFile): Promise<Repriced> => {
  const { code, out, err } = await sandbox.taximeter(['reprice', '--from', '2026-01-01', '--json', '--data', data, ...argv])
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out) as Repriced
}
const signed = ['--who', 'ada', '--why', 'the contract of May']

const sqlTotal = (sandbox: Sandbox, data: string): number =>
  Number(sandbox.rows('SELECT sum(cost) AS cost FROM token_usage', data)[0]?.cost)

/** Corrections that are in the file so far, while another process writes it. */
const correctionsIn = (path: string): number => {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return Number(database.prepare('SELECT count(*) AS uncounted FROM entries WHERE counted = 0').get()?.uncounted)
  } finally {
    database.close()
  }
}

test('repricing changes totals by exactly what the dry run showed, once, also when it is killed half-way', async () => {
  await using sandbox = openSandbox()
  sandbox.configure(book('1', '4'))
  const server = await sandbox.serve()
  const sent = calls(3_000)
  for (let first = 0; first < sent.length; first += 1_000)
    expect((await post(server.url, sent.slice(first, first + 1_000))).body.counts.accepted).toBe(1_000)
  await server.stop()
  const before = await report(sandbox)

  sandbox.configure(book('1.25', '3.5'))
  const shown = await reprice(sandbox, ['--dry-run'])
  const changed = sent.filter(({ model }) => model === 'large')
  // A quarter of a dollar more per million in, half a dollar less out.
  const difference = sumOf(changed.map(({ usage }) => BigInt(usage.input) * 250_000n - BigInt(usage.output) * 500_000n))
  expect(shown).toMatchObject({ looked: sent.length, changed: changed.length })
  expect([pico(shown.differenceUsd), sumOf(shown.rows.map((row) => pico(row.differenceUsd)))]).toEqual([difference, difference])
  expect(shown.rows.map(({ model, calls: count }) => [model, count])).toEqual([
    ['large', changed.length / 2],
    ['large', changed.length / 2],
  ])
  expect(sqlTotal(sandbox, dataFile)).toBeCloseTo(Number(before) / 1e12, 9)

  // One file is repriced in one go, a copy of it is killed in the middle and repriced again: both end the same.
  copyFileSync(sandbox.path(dataFile), sandbox.path('killed.db'))
  await reprice(sandbox, signed)

  const child = sandbox.start(['reprice', '--from', '2026-01-01', '--data', 'killed.db', ...signed])
  const gone = new Promise((resolve) => child.once('close', resolve))
  while (correctionsIn(sandbox.path('killed.db')) === 0) await after(1)
  child.kill('SIGKILL')
  await gone
  const half = correctionsIn(sandbox.path('killed.db'))
  expect(half).toBeGreaterThan(0)
  expect(half).toBeLessThan(changed.length)
  // Half-way, too, the file agrees with itself.
  expect(Number(await report(sandbox, 'killed.db')) / 1e12).toBeCloseTo(sqlTotal(sandbox, 'killed.db'), 9)
  const rest = await reprice(sandbox, signed, 'killed.db')
  expect(rest.changed).toBe(changed.length - half)

  for (const data of [dataFile, 'killed.db']) {
    expect(sqlTotal(sandbox, data)).toBeCloseTo(Number(before + difference) / 1e12, 9)
    expect(await reprice(sandbox, signed, data)).toMatchObject({ changed: 0, differenceUsd: '0.000000000000' })
    expect(await report(sandbox, data)).toBe(before + difference)
  }
  const sorted = 'SELECT hex(id) AS id, counted, cost FROM entries ORDER BY id'
  expect(sandbox.rows(sorted, 'killed.db')).toEqual(sandbox.rows(sorted))
}, 60_000)

test('a server that runs shows a correction from the command line at once, and what was corrected stays readable', async () => {
  await using sandbox = openSandbox()
  sandbox.configure(book('1', '4'))
  const server = await sandbox.serve()
  const [call] = calls(2).slice(1)
  await post(server.url, [call])
  const { cost } = (await query(server.url, 'measure=cost&last=7d')).totals
  sandbox.configure(book('2', '8'))
  expect(await reprice(sandbox, signed)).toMatchObject({ changed: 1, differenceUsd: cost })
  expect(pico((await query(server.url, 'measure=cost&last=7d')).totals.cost)).toBe(2n * pico(cost))
  const [correction] = await allEntries(server.url)
  expect(correction).toMatchObject({ corrects: call?.id, reason: expect.stringMatching(/by ada: the contract of May$/) })
  const all = await allEntries(server.url, 'last=7d&uncounted=include')
  expect(all.map(({ id }) => id)).toContain(call?.id)
})
