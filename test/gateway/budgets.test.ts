import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import type { Budget } from '../../src/core/budget.ts'
import { formatUsd, parseUsd } from '../../src/core/money.ts'
import { caught } from '../clients/observe.ts'
import { ask, chat, json, withGateways } from './asking.ts'
import { chatAnswer, chatStream, question, renumbered, streamed } from './bodies.ts'
import { httpUpstream, readAll } from './raw-upstream.ts'

const { behind } = withGateways()

const dollars = (text: string) => ({ unit: 'usd', amount: parseUsd(text) as NonNullable<ReturnType<typeof parseUsd>> }) as const
const budget = (limit: Budget['limit'], more: Partial<Budget> = {}): Budget => ({
  name: 'support',
  scope: 'all',
  window: { kind: 'total' },
  limit,
  onExceed: 'block',
  thresholds: [1],
  unpriced: { policy: 'block' },
  ...more,
})

/** Answers each call with another id, and counts them. */
const counting = async () => {
  const counter = { calls: 0 }
  const upstream = await httpUpstream(async (request, response) => {
    const isStream = (await readAll(request)).includes('"stream":true')
    counter.calls += 1
    if (isStream) response.writeHead(200, { 'content-type': 'text/event-stream' }).end(renumbered(chatStream.join(''), counter.calls))
    else response.writeHead(200, json).end(renumbered(chatAnswer, counter.calls))
  })
  return { upstream, counter }
}

/** 400 bytes and an output limit of 20: more is set aside than the 100 tokens in and 20 out that each answer tells. */
const asked = JSON.stringify({ ...JSON.parse(question), max_tokens: 20, user: 'u'.repeat(320) })

describe('budgets', () => {
  test('a refused call never reaches the upstream, and says why in full', async () => {
    const { upstream, counter } = await counting()
    const gateway = await behind(upstream, { budgets: [budget(dollars('0.00001'))] })
    const { response, body } = await ask(gateway, chat, { body: asked, headers: json })
    expect([response.statusCode, response.headers['x-should-retry']]).toEqual([402, 'false'])
    expect(JSON.parse(body.toString())).toMatchObject({
      error: {
        code: 'BUDGET_EXCEEDED',
        type: 'budget_exceeded',
        message: expect.stringContaining('support'),
        budget: { budget: 'support', scope: 'all', unit: 'usd', limit: '0.000010000000', spent: '0.000000000000', reason: 'exceeded' },
      },
    })
    expect(counter.calls).toBe(0)
    expect(gateway.gateway.counters().requests.refused).toBe(1)
  })

  test('the openai and anthropic clients raise it as their own error and do not try again', async () => {
    const { upstream } = await counting()
    const gateway = await behind(upstream, { budgets: [budget(dollars('0.00001'))] })
    const openai = new OpenAI({ apiKey: 'k', baseURL: `${gateway.url}/openai/v1`, maxRetries: 3 })
    expect(await caught(() => openai.chat.completions.create(JSON.parse(asked)))).toMatchObject({ status: 402, code: 'BUDGET_EXCEEDED' })
    const anthropic = new Anthropic({ apiKey: 'k', baseURL: `${gateway.url}/anthropic`, maxRetries: 3 })
    expect(await caught(() => anthropic.messages.create({ max_tokens: 5, ...JSON.parse(question) }))).toMatchObject({
      status: 402,
      type: 'budget_exceeded',
    })
    expect(gateway.gateway.counters().requests.refused).toBe(2)
  })

  test('what was set aside is settled to what it cost, whole and streamed', async () => {
    const { upstream } = await counting()
    const gateway = await behind(upstream, { budgets: [budget(dollars('1'))] })
    await ask(gateway, chat, { body: asked, headers: json })
    await ask(gateway, chat, { body: streamed, headers: json })
    await gateway.calls(2)
    await expect.poll(() => gateway.budgets?.status()[0]).toMatchObject({ spent: '0.000280000000', reserved: '0.000000000000' })
  })

  test('two hundred calls at once against the last cent spend no more than the budget has', async () => {
    const { upstream, counter } = await counting()
    const limit = '0.01'
    const gateway = await behind(upstream, { budgets: [budget(dollars(limit))] })
    const statuses = await Promise.all(
      Array.from({ length: 200 }, async () => (await ask(gateway, chat, { body: asked, headers: json })).response.statusCode),
    )
    const passed = statuses.filter((status) => status === 200).length
    expect(statuses.filter((status) => status === 402).length).toBe(200 - passed)
    expect(counter.calls).toBe(passed)
    const entries = await gateway.entries(passed)
    const spent = entries.reduce((sum, { charge }) => sum + (charge.basis === 'unpriced' ? 0n : charge.total), 0n)
    expect(passed).toBeGreaterThan(10)
    expect(spent).toBeLessThanOrEqual(parseUsd(limit) ?? 0n)
    expect(formatUsd(spent)).toBe(formatUsd(BigInt(passed) * (parseUsd('0.00014') ?? 0n)))
  })

  test.each([
    ['agent', { 'x-taximeter-agent': 'a' }, { 'x-taximeter-agent': 'b' }],
    ['team', { 'x-taximeter-team': 'a' }, { 'x-taximeter-team': 'b' }],
    ['tag.plan', { 'x-taximeter-tags': 'plan=a' }, { 'x-taximeter-tags': 'plan=b' }],
  ] as const)('a budget per %s binds those it names and nobody else', async (scope, bound, free) => {
    const { upstream } = await counting()
    const gateway = await behind(upstream, { budgets: [budget(dollars('0.00001'), { scope, value: 'a' })] })
    expect((await ask(gateway, chat, { body: asked, headers: { ...json, ...bound } })).response.statusCode).toBe(402)
    expect((await ask(gateway, chat, { body: asked, headers: { ...json, ...free } })).response.statusCode).toBe(200)
  })

  test('a call that fails upstream gives back all that was set aside', async () => {
    const gateway = await behind(
      await httpUpstream((_request, response) => response.writeHead(500, json).end('{"error":{"code":"server_error"}}')),
      {
        budgets: [budget(dollars('1'))],
      },
    )
    await ask(gateway, chat, { body: asked, headers: json })
    await gateway.calls()
    expect(gateway.budgets?.status()[0]).toMatchObject({ spent: '0.000000000000', reserved: '0.000000000000' })
  })

  test('a model without a price does not slip past a budget in dollars', async () => {
    const { upstream, counter } = await counting()
    const gateway = await behind(upstream, { name: 'corp', upstream: { provider: 'unknown-provider' }, budgets: [budget(dollars('1'))] })
    const { response, body } = await ask(gateway, '/corp/v1/chat/completions', { body: asked, headers: json })
    expect([response.statusCode, JSON.parse(body.toString()).error.budget.reason]).toEqual([402, 'unpriced'])
    expect(counter.calls).toBe(0)
  })

  test('what is no model call is held to no budget', async () => {
    const { upstream } = await counting()
    const gateway = await behind(upstream, { budgets: [budget(dollars('0'))] })
    expect((await ask(gateway, '/openai/v1/models')).response.statusCode).toBe(200)
  })
})
