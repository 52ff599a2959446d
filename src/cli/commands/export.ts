import { closeSync, openSync, writeSync } from 'node:fs'
import { Command } from 'commander'
import { TaximeterError } from '../../core/errors.ts'
import { type Filter, parseFilter, parseQuestion } from '../../core/question.ts'
import type { Store } from '../../ledger/store.ts'
import { collected } from '../collected.ts'
import { csvForm, type ExportForm, ndjsonForm, parquetForm } from '../export-forms.ts'
import { type ConfigOptions, configOf, type Io } from '../io.ts'
import { openLedger } from '../open-ledger.ts'
import { progressOn } from '../progress.ts'

interface ExportOptions extends ConfigOptions {
  readonly format: string
  readonly output?: string
  readonly last?: string
  readonly from?: string
  readonly to?: string
  readonly where?: readonly string[]
  readonly all?: true
}

const pageEntries = 1_000

/** `taximeter export`: the counted calls of a period, one a line or row, exact. */
export const exportCommand = (io: Io): Command =>
  new Command('export')
    .description('the calls of a period, one a line or row, exact')
    .option('--format <form>', 'ndjson, csv or parquet', 'ndjson')
    .option('--output <file>', 'the file to write; parquet needs one')
    .option('--last <span>', 'the last 1h, 24h, 7d …')
    .option('--from <instant>', 'from this day or instant on')
    .option('--to <instant>', 'up to this day or instant')
    .option('--where <filter>', 'only task:refund, agent:a,b … (repeatable)', collected)
    .option('--all', 'also what is no longer counted: corrected entries, and lesser sources of a call')
    .option('--config <file>', 'configuration file')
    .option('--data <file>', "the ledger's file")
    .action(async (options: ExportOptions) => {
      const { config } = configOf(io, options)
      checkForm(options)
      const { from, to } = parseQuestion({ last: options.last, from: options.from, to: options.to }, io.now())
      const where = (options.where ?? []).map(parseFilter)
      const store = await openLedger(config, { mustExist: true })
      const target = options.format === 'parquet' ? undefined : targetOf(io, options.output)
      try {
        const form = await formOf(options, target?.write ?? io.out)
        await exportAll(io, store, form, { from, to, where, ...(options.all && { withUncounted: true }) })
        await form.end()
      } finally {
        target?.close()
        await store.close()
      }
    })

const checkForm = ({ format, output }: ExportOptions): void => {
  if (!['ndjson', 'csv', 'parquet'].includes(format))
    throw new TaximeterError('BAD_REQUEST', `--format should be ndjson, csv or parquet, got "${format}".`)
  if (format === 'parquet' && output === undefined)
    throw new TaximeterError('BAD_REQUEST', '--format parquet writes a file: name it with --output calls.parquet.')
}

const formOf = async ({ format, output }: ExportOptions, write: (text: string) => void): Promise<ExportForm> => {
  if (format === 'parquet') return parquetForm(output ?? '')
  return format === 'csv' ? csvForm(write) : ndjsonForm(write)
}

const targetOf = (io: Io, path: string | undefined): { write(text: string): void; close(): void } => {
  if (path === undefined) return { write: io.out, close: () => undefined }
  const file = openSync(path, 'w')
  return { write: (text) => void writeSync(file, text), close: () => closeSync(file) }
}

interface Exported {
  readonly from: number
  readonly to: number
  readonly where: readonly Filter[]
  readonly withUncounted?: boolean
}

const exportAll = async (io: Io, store: Store, form: ExportForm, asked: Exported): Promise<void> => {
  const progress = progressOn(io, 'exported')
  // Only of what is counted is the number known ahead.
  const { from, to, where } = asked
  const whole =
    io.isTerminal && !asked.withUncounted ? await store.ask({ measures: ['calls'], by: [], where, from, to, zone: 'UTC' }) : undefined
  let after: string | undefined
  let count = 0
  try {
    do {
      const page = await store.entries(asked, { limit: pageEntries, ...(after !== undefined && { after }) })
      await form.add(page.entries)
      count += page.entries.length
      progress.at(count, whole && Math.max(count, Number(whole.totals.calls)))
      after = page.next
    } while (after !== undefined && !io.stop.aborted)
  } finally {
    progress.end()
  }
  if (after === undefined) return
  io.err(`Stopped: ${count} calls are exported, and there are more.\n`)
  io.setExitCode(1)
}
