import OpenAI from 'openai'
import { createEmbeddedTracker } from '../../src/embedded.ts'

// An agent as a user writes one, with the ledger in its own process: started several times at once by writers.test.ts.

const [name = '', data = '', upstream = '', runs = '0'] = process.argv.slice(2)
const tracker = await createEmbeddedTracker({
  data,
  agent: name,
  hosts: { [new URL(upstream).host]: 'openai' },
  tools: { 'web-search': '0.005' },
  dailyBudgetUsd: '0',
  flushIntervalMs: 5,
  onWarning: ({ code, message }) => console.error(`${code}: ${message}`),
})
const openai = new OpenAI({ apiKey: 'sk-test', baseURL: `${upstream}/v1`, fetch: tracker.fetch })

for (let index = 0; index < Number(runs); index += 1) {
  await tracker.run({ task: `task-${index % 3}`, session: name }, async (run) => {
    await openai.chat.completions.create({ model: 'gpt-4.1', messages: [{ role: 'user', content: `Question ${index}` }] })
    const stream = await openai.chat.completions.create({ model: 'gpt-4.1', stream: true, messages: [{ role: 'user', content: 'And?' }] })
    for await (const _ of stream);
    await run.tool('web-search', () => 'found')
  })
}
await tracker.close()
console.log(JSON.stringify(tracker.stats()))
