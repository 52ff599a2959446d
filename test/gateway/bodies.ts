const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 }
const base = { id: 'chatcmpl-0001', created: 1_795_000_000, model: 'gpt-4.1-mini' }

/** 100 tokens in and 20 out: $0.00014 at the prices of the tests. */
export const chatAnswer = JSON.stringify({
  ...base,
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Five.' }, finish_reason: 'stop' }],
  usage,
})

const event = (choices: unknown, more: object = {}): string =>
  `data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices, ...more })}\n\n`

/** The events of the same answer as a stream that was asked for its usage. */
export const chatStream: readonly string[] = [
  event([{ index: 0, delta: { role: 'assistant', content: '' } }]),
  event([{ index: 0, delta: { content: 'Fünf ' } }]),
  event([{ index: 0, delta: { content: '🍎 "choices":[]' } }]),
  event([{ index: 0, delta: {}, finish_reason: 'stop' }]),
  event([], { usage }),
  'data: [DONE]\n\n',
]

export const question = JSON.stringify({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'How much is it?' }] })
export const streamed = JSON.stringify({ ...(JSON.parse(question) as object), stream: true })

/** The same bytes of another answer: a call is known by its answer's id, and counted once. */
export const renumbered = (text: string, number: number): string =>
  text.replaceAll('chatcmpl-0001', `chatcmpl-${String(number).padStart(4, '0')}`)
