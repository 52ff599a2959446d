import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

// A provider that costs as little as it can: one JSON answer, or a stream of 50 chunks, each written in a turn of its own.

const usage = {
  prompt_tokens: 120,
  completion_tokens: 48,
  total_tokens: 168,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
}
const base = (id: number) => ({
  id: `chatcmpl-${process.pid}-${id}`,
  created: 1_795_000_000,
  model: 'gpt-4.1-mini',
  service_tier: 'default',
  system_fingerprint: 'fp_bench',
})
const words = 'Every billable act becomes one entry in one ledger, priced once, exactly. '.repeat(4)

const answerOf = (id: number): string =>
  JSON.stringify({
    ...base(id),
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: words, refusal: null }, logprobs: null, finish_reason: 'stop' }],
    usage,
  })

export const chunksPerStream = 50
const chunkOf = (id: number, index: number): string => {
  const isLast = index === chunksPerStream - 1
  const choices = isLast ? [] : [{ index: 0, delta: { content: ` word${index}` }, logprobs: null, finish_reason: null }]
  const chunk = JSON.stringify({
    ...base(id),
    object: 'chat.completion.chunk',
    choices,
    usage: isLast ? usage : null,
    obfuscation: 'x'.repeat(60),
  })
  return `data: ${chunk}\n\n${isLast ? 'data: [DONE]\n\n' : ''}`
}

let count = 0
const server = createServer((request, response) => {
  const id = ++count
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const isStream = parts.some((part) => part.includes('"stream":true'))
    if (!isStream) {
      const body = answerOf(id)
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length, 'x-request-id': `req_${id}` })
      response.end(body)
      return
    }
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-request-id': `req_${id}`,
    })
    let index = 0
    const next = (): void => {
      if (response.destroyed) return
      response.write(chunkOf(id, index))
      index += 1
      if (index === chunksPerStream) response.end()
      else setImmediate(next)
    }
    next()
  })
})
server.keepAliveTimeout = 60_000
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
})

// Whoever started it is gone.
process.on('disconnect', () => process.exit(0))
