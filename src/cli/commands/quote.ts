import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Command } from 'commander'
import { sentenceOf, TaximeterError } from '../../core/errors.ts'
import { readableUsd } from '../../core/readable.ts'
import { quoteOf } from '../../intake/quote.ts'
import { quoteJson } from '../../server/quote-json.ts'
import { bookOf } from '../book.ts'
import { type ConfigOptions, configOf, type Io } from '../io.ts'
import { textTable } from '../text-table.ts'

interface QuoteOptions extends ConfigOptions {
  readonly jsonl?: true
  readonly json?: true
  readonly provider?: string
  readonly model?: string
  readonly dialect?: string
  readonly at?: string
}

/** `taximeter quote`: prices what a provider answered, without a server. One answer from a file or standard input, or a stream of lines. */
export const quoteCommand = (io: Io): Command =>
  new Command('quote')
    .description('price what a provider answered, without a server')
    .argument('[file]', 'the answer: a JSON body or the text of a stream; standard input when absent')
    .option(
      '--jsonl',
      'read {"provider", "dialect"?, "model"?, "at"?, "headers"?, "body" | "stream"} lines from standard input, answer each in order',
    )
    .option('--provider <name>', 'whose answer it is')
    .option('--model <name>', 'the model, where the answer names none')
    .option('--dialect <name>', 'the API, where it should not be recognised')
    .option('--at <instant>', 'when it was made; now when absent')
    .option('--json', 'the exact quote as JSON')
    .option('--config <file>', 'configuration file')
    .action(async (file: string | undefined, options: QuoteOptions) => {
      const book = bookOf(configOf(io, options))
      if (options.jsonl) return quoteLines(io, (line) => JSON.stringify(quoteJson(quoteOf(JSON.parse(line), book, io.now()))))
      const text = file === undefined ? await textOf(io) : textIn(file)
      const { provider, model, dialect, at } = options
      const quote = quoteOf({ provider, model, dialect, at, ...answerIn(text) }, book, io.now())
      io.out(options.json ? `${JSON.stringify(quoteJson(quote), undefined, 2)}\n` : `${quoteText(quoteJson(quote))}\n`)
    })

/** Answers are collected up to this many characters before they are written: one write per line costs more than the quote (measured: 3 times). */
const blockCharsMax = 65_536

const quoteLines = async (io: Io, answer: (line: string) => string): Promise<void> => {
  let block = ''
  const write = (): void => {
    if (block !== '') io.out(block)
    block = ''
  }
  for await (const line of createInterface({ input: io.input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue
    // Whoever waits for an answer before the next line is sent gets it as soon as no further line is there.
    if (block === '') setImmediate(write)
    block += `${answerOrError(line, answer)}\n`
    if (block.length >= blockCharsMax) write()
  }
  write()
}

const answerOrError = (line: string, answer: (line: string) => string): string => {
  try {
    return answer(line)
  } catch (error) {
    if (error instanceof TaximeterError) return JSON.stringify({ error: { code: error.code, message: sentenceOf(error) } })
    if (error instanceof SyntaxError) return JSON.stringify({ error: { code: 'BAD_REQUEST', message: 'The line is not JSON.' } })
    throw error
  }
}

const textIn = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new TaximeterError('NOT_FOUND', `The answer ${file} cannot be read: ${sentenceOf(cause)}.`, { cause })
  }
}

const textOf = async (io: Io): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of io.input) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

/** One JSON value is a body; anything else is the text of a stream. */
const answerIn = (text: string): { readonly body: unknown } | { readonly stream: string } => {
  try {
    return { body: JSON.parse(text) }
  } catch {
    return { stream: text }
  }
}

const quoteText = ({ provider, model, dialect, recognised, usage, charge }: ReturnType<typeof quoteJson>): string => {
  const heading = `${provider ?? '(no provider)'} ${model}${dialect === undefined ? '' : ` · ${dialect}${recognised ? ' (recognised)' : ''}`}`
  if (charge.basis === 'unpriced') return `${heading}\n\nunpriced: ${charge.reason}`
  const rows = charge.lines.map((line) => [
    line.unit,
    String(line.count),
    `${readableUsd(line.rateUsd)} per ${line.per}${line.multiplier === undefined ? '' : ` × ${line.multiplier}`}`,
    line.totalUsd,
  ])
  const unpriced = (charge.unpricedUnits ?? []).map((unit) => [unit, String(usage[unit]), 'has no rate', 'unpriced'])
  const table = textTable(
    [{ title: 'unit' }, { title: 'count', align: 'right' }, { title: 'rate', align: 'right' }, { title: 'USD', align: 'right' }],
    [...rows, ...unpriced, ['total', '', charge.basis, charge.totalUsd]],
  )
  return `${heading}${charge.book === undefined ? '' : ` · book ${charge.book}`}\n\n${table}`
}
