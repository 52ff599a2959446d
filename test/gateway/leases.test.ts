import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { BudgetExceededError, TokenTracker, type TrackerOptions } from '../../src/index.ts'
import { createPlayback, playChat } from '../../src/testing.ts'
import { metric, pico, query } from '../end-to-end/asking.ts'
import { openSandbox, type Sandbox, type Serving } from '../end-to-end/sandbox.ts'

const question = { model: 'gpt-4.1-mini', max_tokens: 1_000, messages: [{ role: 'user' as const, content: 'How much?' }] }
/** Of gpt-4.1-mini at $0.40 in and $1.60 out: what each call is charged. Its worst case is a little more. */
const callUsd = '0.001604000000'

interface Place {
  readonly sandbox: Sandbox
  readonly url: string
  /** Requests that reached the provider. */
  sent(): number
  serve(): Promise<Serving>
  /** A client whose calls the SDK meters, and one whose calls go through the gateway. Nothing of budgets is set up in either. */
  clients(server: Serving, options?: TrackerOptions): { readonly tracker: TokenTracker; readonly direct: OpenAI; readonly through: OpenAI }
}

const withBudget = async (budget: string, work: (place: Place) => Promise<void>): Promise<void> => {
  await using sandbox = openSandbox()
  const playback = createPlayback({ 'POST /v1/chat/completions': playChat({ input: 10, output: 1_000 }) })
  const url = await playback.listen()
  sandbox.configure(`dailyBudgetUsd: 0\nbudgets: [${budget}]\nupstreams: [{ name: openai, url: "${url}", private: true }]\n`)
  try {
    await work({
      sandbox,
      url,
      sent: () => playback.requests.length,
      serve: () => sandbox.serve(),
      clients(server, options) {
        const tracker = new TokenTracker({ url: server.url, agent: 'bot', hosts: { [new URL(url).host]: 'openai' }, ...options })
        return {
          tracker,
          direct: new OpenAI({ apiKey: 'k', baseURL: `${url}/v1`, fetch: tracker.fetch }),
          through: new OpenAI({ apiKey: 'k', baseURL: `${server.url}/openai/v1` }),
        }
      },
    })
  } finally {
    await playback.close()
  }
}

/** How a call ended; what is not a budget's refusal is thrown on. */
const outcomeOf = async (client: OpenAI): Promise<'answered' | 'refused'> => {
  try {
    await client.chat.completions.create(question)
    return 'answered'
  } catch (error) {
    if (BudgetExceededError.of(error) === undefined && !(error instanceof OpenAI.APIError && error.status === 402)) throw error
    return 'refused'
  }
}

test('a tracker that knows nothing but the server is held to its budgets, and most calls ask nobody', async () => {
  await withBudget('{ name: each agent, scope: agent, limit: $0.05, per: total }', async ({ serve, clients, sent }) => {
    const server = await serve()
    const { tracker, direct } = clients(server)
    let answered = 0
    while ((await outcomeOf(direct)) === 'answered') {
      answered += 1
      await tracker.flush()
    }
    // A refused call has not left, and neither has its client's retry.
    expect(sent()).toBe(answered)
    expect(answered).toBeGreaterThan(20)
    const refusal = BudgetExceededError.of(await direct.chat.completions.create(question).catch((error: unknown) => error))
    expect([refusal?.budget, refusal?.reason]).toEqual(['each agent', 'exceeded'])
    await tracker.close()
    const { totals } = await query(server.url, 'measure=cost,llmCalls&last=24h')
    expect(totals.llmCalls).toBe(answered)
    expect(pico(totals.cost)).toBeLessThanOrEqual(pico('0.05'))
    // The last few calls ask each time, because little is left; the others share what was set aside for eight.
    const asked = await metric(server.url, 'taximeter_http_requests_total{method="POST",route="/v1/budgets/reserve",code="200"}')
    expect(Number(asked)).toBeLessThan(answered)
    expect(await metric(server.url, 'taximeter_budget_reserved_usd{budget="each agent"}')).toBe('0')
    await server.stop()
  })
}, 60_000)

test('two hundred calls at once against the last dime, by the SDK and the gateway together and through a kill, never spend more', async () => {
  await withBudget('{ name: the dime, limit: $0.10, per: total }', async ({ serve, clients, sent }) => {
    const before = await serve()
    const first = clients(before)
    const early = await Promise.all([first.direct, first.through].flatMap((client) => Array.from({ length: 10 }, () => outcomeOf(client))))
    expect(early).toContain('answered')
    await first.tracker.close()
    await before.stop('SIGKILL')
    const server = await serve()
    const { tracker, direct, through } = clients(server)
    const outcomes = await Promise.all(Array.from({ length: 200 }, (_, index) => outcomeOf(index % 2 === 0 ? direct : through)))
    expect(outcomes).toContain('answered')
    expect(outcomes).toContain('refused')
    await tracker.close()
    const answered = [...early, ...outcomes].filter((outcome) => outcome === 'answered').length
    expect(sent()).toBe(answered)
    // What the ledger may not have kept of the process that was killed was spent all the same.
    expect(BigInt(answered) * pico(callUsd)).toBeLessThanOrEqual(pico('0.10'))
    await expect
      .poll(async () => (await query(server.url, 'measure=llmCalls&last=24h')).totals.llmCalls)
      .toBeGreaterThanOrEqual(outcomes.filter((outcome) => outcome === 'answered').length)
    await server.stop()
  })
}, 60_000)

test('a tracker that is told to hold no budgets asks for none', async () => {
  await withBudget('{ name: nothing, limit: $0.000001, per: total }', async ({ serve, clients, sent }) => {
    const server = await serve()
    const { tracker, direct } = clients(server, { guard: false })
    expect(await outcomeOf(direct)).toBe('answered')
    expect(sent()).toBe(1)
    await tracker.close()
    await server.stop()
  })
}, 60_000)
