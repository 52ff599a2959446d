import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Readable } from 'node:stream'

export interface QuoteResult {
  /** Lines answered per second once the program runs, and with its start counted in. */
  readonly linesPerSecond: number
  readonly linesPerSecondFromStart: number
  readonly limit: number
  readonly lineBytes: number
  /** From the start of the process to its first answer. */
  readonly firstAnswerMs: number
}

const limit = 20_000
const lines = 200_000
const main = join(import.meta.dirname, '../src/cli/main.ts')

/** `taximeter quote --jsonl`, as a process of its own, fed with bodies of 1 KB of three providers. */
export const benchQuote = async (): Promise<QuoteResult> => {
  const block = `${bodies().join('\n')}\n`
  const blocks = lines / kinds
  const child = spawn(process.execPath, [main, 'quote', '--jsonl'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const began = performance.now()
  let answered = 0
  let atFirst = 0
  let answeredAtFirst = 0
  child.stdout.on('data', (chunk: Buffer) => {
    for (let place = chunk.indexOf(lineFeed); place !== -1; place = chunk.indexOf(lineFeed, place + 1)) answered += 1
    if (atFirst !== 0) return
    atFirst = performance.now()
    answeredAtFirst = answered
  })
  Readable.from(feed(block, blocks)).pipe(child.stdin)
  const [code] = await once(child, 'close')
  const ended = performance.now()
  if (code !== 0 || answered !== lines) throw new Error(`Of ${lines} lines ${answered} were answered; exit code ${code}.`)
  return {
    linesPerSecond: ((answered - answeredAtFirst) / (ended - atFirst)) * 1_000,
    linesPerSecondFromStart: (answered / (ended - began)) * 1_000,
    limit,
    lineBytes: Math.round(block.length / kinds),
    firstAnswerMs: atFirst - began,
  }
}

const lineFeed = 10
const kinds = 4

/** Pieces of some size, as a pipe gives them. */
const feed = function* (block: string, count: number): Generator<Buffer> {
  const piece = Buffer.from(block.repeat(16))
  const single = Buffer.from(block)
  for (let index = 0; index < Math.floor(count / 16); index += 1) yield piece
  for (let index = 0; index < count % 16; index += 1) yield single
}

/** Four lines of about 1,000 bytes each: plain, with cached and reasoning tokens, with a cache write, and with thoughts beside. */
const bodies = (): readonly string[] => {
  const content = 'The refund left on Monday and takes three days. '.repeat(12)
  const chat = (usage: object) => ({
    provider: 'openai',
    body: {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      model: 'gpt-4.1',
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
      usage,
    },
  })
  const lines = [
    chat({ prompt_tokens: 1_200, completion_tokens: 140, total_tokens: 1_340 }),
    chat({
      prompt_tokens: 1_200,
      completion_tokens: 140,
      total_tokens: 1_340,
      prompt_tokens_details: { cached_tokens: 1_024 },
      completion_tokens_details: { reasoning_tokens: 64 },
    }),
    {
      provider: 'anthropic',
      body: {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'claude-sonnet-4-5',
        content: [{ type: 'text', text: content }],
        stop_reason: 'end_turn',
        usage: {
          input_tokens: 42,
          cache_creation_input_tokens: 512,
          cache_read_input_tokens: 2_048,
          cache_creation: { ephemeral_5m_input_tokens: 512, ephemeral_1h_input_tokens: 0 },
          output_tokens: 140,
        },
      },
    },
    {
      provider: 'google',
      body: {
        candidates: [{ content: { role: 'model', parts: [{ text: content }] }, finishReason: 'STOP' }],
        usageMetadata: { promptTokenCount: 1_200, candidatesTokenCount: 140, thoughtsTokenCount: 258, totalTokenCount: 1_598 },
        modelVersion: 'gemini-2.5-flash',
      },
    },
  ]
  return lines.map((line) => {
    const text = JSON.stringify(line)
    return JSON.stringify({ ...line, body: { ...line.body, padding: 'x'.repeat(Math.max(0, 1_000 - text.length)) } })
  })
}

if (import.meta.main) console.log(await benchQuote())
