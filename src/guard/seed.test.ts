import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { TaximeterError } from '../core/errors.ts'
import type { Question } from '../core/question.ts'
import { memoryStore } from '../ledger/memory/memory-store.ts'
import { sqliteStore } from '../ledger/sqlite/sqlite-store.ts'
import { ahead, budgetOf, entry, noon, ride, toolEntry } from './ride.contract.ts'
import { seedsOf } from './seed.ts'

const folders: string[] = []
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true })
})

const minute = 60_000
const hour = 60 * minute
const windows = ['hour', 'day', 'week', 'month', '1h', '24h', '7d', '30d', 'total']
const scopes = ['all', 'agent', 'agent:a1', 'task', 'model', 'model:plain', 'user:u1', 'tag.plan:pro', 'key:k1']
const lazy = ['user', 'session', 'tag.plan', 'key']

test('what a guard learns from a file is what another has observed, in every window and scope', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'taximeter-seed-'))
  folders.push(folder)
  const store = await sqliteStore({ path: join(folder, 'ledger.db'), durability: 'normal' })
  const forms = [
    ...windows.map((per) => ({
      name: `all ${per}`,
      limit: '$1',
      per,
      ...(/^[a-z]+$/.test(per) && per !== 'total' && { zone: 'America/New_York' }),
    })),
    { name: 'agents, rolling', scope: 'agent', limit: '10M tokens', per: '24h' },
    ...[...scopes, ...lazy].flatMap((scope) => [
      { name: `dollars of ${scope}`, scope, limit: '$1', per: 'month', unpriced: 'assume $3 per million tokens' },
      { name: `tokens of ${scope}`, scope, limit: '10M tokens', per: '7d' },
    ]),
    { name: 'runs', scope: 'run', limit: '$1' },
  ]
  const it = await ride(forms, { store })
  const call = (index: number) => ({
    agent: `a${index % 3}`,
    task: index % 4 === 0 ? 'refund' : 'search',
    user: `u${index % 5}`,
    key: `k${index % 2}`,
    session: `s${index % 7}`,
    run: `r${index % 6}`,
    tags: { plan: index % 2 === 0 ? 'pro' : 'free' },
    model: (['plain', 'plain-latest', 'cached', 'brand-new'] as const)[index % 4] ?? 'plain',
  })
  // Every value is known before its entries come, so that each is observed and none read.
  for (let index = 0; index < 420; index++) await it.guard.reserve({ ...ahead({ promptTokens: 0, outputMax: 0 }), ...call(index) })
  // At least half an hour from the edge of every rolling window, where what was learned leaves a little later.
  const ages = [2 * minute, 20 * minute, 90 * minute, 11 * hour, 13 * hour, 30 * hour, 5 * 24 * hour, 20 * 24 * hour, 60 * 24 * hour]
  const made = Array.from({ length: 420 }, (_, index) =>
    entry({ ...call(index), at: noon - (ages[index % ages.length] ?? 0) - index, input: index + 1, output: index % 50 }),
  )
  await it.keep(...made, toolEntry(700, { agent: 'a1', run: 'r1', user: 'u1', at: noon - 5 * minute }))
  const observed = it.guard.status(10_000)
  expect(observed.length).toBeGreaterThan(50)
  expect(observed.filter(({ spent }) => Number(spent) > 0).length).toBeGreaterThan(40)

  const next = await it.restart()
  for (let index = 0; index < 420; index++) await next.guard.reserve({ ...ahead({ promptTokens: 0, outputMax: 0 }), ...call(index) })
  const plain = (statuses: typeof observed) =>
    statuses.map(({ name, value, spent, burnRatePerHour }) => [name, value, spent, burnRatePerHour].join(' | ')).sort()
  expect(plain(next.guard.status(10_000))).toEqual(plain(observed))
  await store.close()
})

test('where an answer would have too many rows, shorter periods are asked, and then longer buckets', async () => {
  const store = memoryStore()
  const day = 24 * hour
  await store.append([entry({ at: noon - 6 * day, input: 100 }), entry({ at: noon - 3 * day, input: 10 }), entry({ at: noon, input: 1 })])
  const asked: string[] = []
  const picky = {
    entries: store.entries,
    ask: async (question: Question) => {
      const days = Math.ceil((question.to - question.from) / day)
      asked.push(`${days} ${question.interval}`)
      const isTooMany = days > 2 || (question.interval !== 'hour' && question.interval !== 'minute')
      if (isTooMany) throw new TaximeterError('BAD_QUESTION', 'This question has too many rows.')
      return store.ask(question)
    },
  }
  const seeds = await seedsOf(picky, budgetOf({ limit: '1000 tokens', per: '7d' }), noon, (_provider, model) => model)
  expect(seeds.get('')?.spent.reduce((sum, { amount }) => sum + amount, 0n)).toBe(111n)
  expect(new Set(asked.map((each) => each.split(' ')[1]))).toEqual(new Set(['15m', 'hour', 'minute']))
  const refusing = { ...picky, ask: () => Promise.reject(new TaximeterError('BAD_QUESTION', 'No.')) }
  await expect(seedsOf(refusing, budgetOf({ limit: '1000 tokens', per: '7d' }), noon, (_provider, model) => model)).rejects.toThrow('No.')
})
