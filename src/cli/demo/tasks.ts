import Anthropic from '@anthropic-ai/sdk'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import type { TokenTracker } from '../../sdk/token-tracker.ts'

/** One sample agent task: what it shows, and what it does with real clients against the upstream that plays answers back. */
interface Task {
  readonly title: string
  run(tracker: TokenTracker, upstream: string): Promise<void>
}

const openaiClient = (tracker: TokenTracker, upstream: string) =>
  new OpenAI({ baseURL: `${upstream}/openai/v1`, apiKey: 'demo', fetch: tracker.fetch, maxRetries: 2 })

/** Five tasks of two releases; together they show every way in which a run can end and a call can be paid for. */
export const tasks: readonly Task[] = [
  {
    title: 'refund: an answer, a tool with a price, a stream',
    async run(tracker, upstream) {
      const openai = openaiClient(tracker, upstream)
      await tracker.run({ task: 'refund', agent: 'support-bot', session: 'ticket-1042', release: '2026-11-22' }, async (run) => {
        await openai.chat.completions.create({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'Where is my refund?' }] })
        await run.tool('order-lookup', { costUsd: '0.002' }, async () => 'order 77, returned on Monday')
        const stream = await openai.chat.completions.create({
          model: 'gpt-4.1-mini',
          stream: true,
          messages: [{ role: 'user', content: 'Write the answer.' }],
        })
        for await (const _ of stream);
      })
    },
  },
  {
    title: 'summarise: a cached prompt, and a stream',
    async run(tracker, upstream) {
      const anthropic = new Anthropic({ baseURL: `${upstream}/anthropic`, apiKey: 'demo', fetch: tracker.fetch })
      await tracker.run({ task: 'summarise', agent: 'librarian', session: 'report-7', release: '2026-11-22' }, async (run) => {
        await run.step('read', () =>
          anthropic.messages.create({
            model: 'claude-sonnet-5',
            max_tokens: 512,
            messages: [{ role: 'user', content: 'Read chapter one.' }],
          }),
        )
        await run.step('write', async () => {
          const stream = anthropic.messages.stream({
            model: 'claude-sonnet-5',
            max_tokens: 512,
            messages: [{ role: 'user', content: 'Summarise it.' }],
          })
          await stream.finalMessage()
        })
      })
    },
  },
  {
    title: 'classify: a local model',
    async run(tracker, upstream) {
      const ollama = new Ollama({ host: `${upstream}/ollama`, fetch: tracker.fetch })
      await tracker.run({ task: 'classify', agent: 'sorter', release: '2026-11-20' }, async () => {
        await ollama.chat({ model: 'llama3.2', messages: [{ role: 'user', content: 'Spam or not?' }] })
        for await (const _ of await ollama.chat({
          model: 'llama3.2',
          stream: true,
          messages: [{ role: 'user', content: 'And this one?' }],
        }));
      })
    },
  },
  {
    title: 'research: a retried call, and a step that fails',
    async run(tracker, upstream) {
      const openai = openaiClient(tracker, upstream)
      await tracker.run({ task: 'research', agent: 'scout', release: '2026-11-20' }, async (run) => {
        await openai.responses.create({ model: 'gpt-5-mini', input: 'What do taxis cost in Lisbon?' })
        await run.tool('web-search', { costUsd: '0.005' }, async () => ['lisbon.example'])
        await run.step('parse', async () => {
          throw new DemoFailure('The page has no table.')
        })
      })
    },
  },
  {
    title: 'migrate: a run that reaches its budget and is stopped',
    async run(tracker, upstream) {
      const openai = openaiClient(tracker, upstream)
      await tracker.run({ task: 'migrate', agent: 'coder', release: '2026-11-22', budgetUsd: 0.01, onBudget: 'stop' }, async () => {
        for (let call = 0; call < 20; call++)
          await openai.chat.completions.create({ model: 'gpt-4.1', messages: [{ role: 'user', content: `Port file ${call}.` }] })
      })
    },
  },
]

/** The failure that a demo task makes on purpose. */
export class DemoFailure extends Error {
  override readonly name = 'DemoFailure'
}
