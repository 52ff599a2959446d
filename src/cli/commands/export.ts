import { Command } from 'commander'
import { TaximeterError } from '../../core/errors.ts'
import { parseFilter, parseQuestion } from '../../core/question.ts'
import { callJson } from '../../server/entry-json.ts'
import { collected } from '../collected.ts'
import { csvCell } from '../csv.ts'
import { type ConfigOptions, configOf, type Io } from '../io.ts'
import { openLedger } from '../open-ledger.ts'
import { progressOn } from '../progress.ts'

interface ExportOptions extends ConfigOptions {
  readonly format: string
  readonly last?: string
  readonly from?: string
  readonly to?: string
  readonly where?: readonly string[]
  readonly all?: true
}

const pageEntries = 1_000

/** `taximeter export`: the counted calls of a period, one a line, exact. */
export const exportCommand = (io: Io): Command =>
  new Command('export')
    .description('the calls of a period, one a line, exact')
    .option('--format <form>', 'ndjson or csv', 'ndjson')
    .option('--last <span>', 'the last 1h, 24h, 7d …')
    .option('--from <instant>', 'from this day or instant on')
    .option('--to <instant>', 'up to this day or instant')
    .option('--where <filter>', 'only task:refund, agent:a,b … (repeatable)', collected)
    .option('--all', 'also what is no longer counted: corrected entries, and lesser sources of a call')
    .option('--config <file>', 'configuration file')
    .option('--data <file>', "the ledger's file")
    .action(async (options: ExportOptions) => {
      const { config } = configOf(io, options)
      if (options.format !== 'ndjson' && options.format !== 'csv')
        throw new TaximeterError('BAD_REQUEST', `--format should be ndjson or csv, got "${options.format}".`)
      const { from, to } = parseQuestion({ last: options.last, from: options.from, to: options.to }, io.now())
      const where = (options.where ?? []).map(parseFilter)
      const store = await openLedger(config, { mustExist: true })
      const progress = progressOn(io, 'exported')
      try {
        if (options.format === 'csv') io.out(`${csvColumns.join(',')}\r\n`)
        let after: string | undefined
        let count = 0
        do {
          const page = await store.entries(
            { where, from, to, ...(options.all && { withUncounted: true }) },
            { limit: pageEntries, ...(after !== undefined && { after }) },
          )
          io.out(
            page.entries
              .map((entry) => (options.format === 'csv' ? csvLine(callJson(entry)) : `${JSON.stringify(callJson(entry))}\n`))
              .join(''),
          )
          count += page.entries.length
          progress.at(count)
          after = page.next
        } while (after !== undefined && !io.stop.aborted)
      } finally {
        progress.end()
        await store.close()
      }
    })

type Exported = ReturnType<typeof callJson>

/** Columns of the CSV form, in order; the usage as one JSON cell, since its units differ from call to call. */
const columns: Readonly<Record<string, (call: Exported) => unknown>> = {
  id: (call) => call.id,
  at: (call) => call.at,
  kind: (call) => call.kind,
  source: (call) => call.source,
  agent: (call) => call.agent,
  task: (call) => call.task,
  session: (call) => call.session,
  run: (call) => call.run,
  step: (call) => call.step,
  release: (call) => call.release,
  environment: (call) => call.environment,
  team: (call) => call.team,
  user: (call) => call.user,
  provider: (call) => (call.kind === 'llm' ? call.provider : undefined),
  model: (call) => (call.kind === 'llm' ? call.model : undefined),
  tool: (call) => (call.kind === 'tool' ? call.tool : undefined),
  status: (call) => call.status,
  error: (call) => call.error,
  attempt: (call) => call.attempt,
  durationMs: (call) => call.durationMs,
  promptTokens: (call) => (call.kind === 'llm' ? call.promptTokens : undefined),
  completionTokens: (call) => (call.kind === 'llm' ? call.completionTokens : undefined),
  usage: (call) => (call.kind === 'llm' ? JSON.stringify(call.usage) : undefined),
  basis: (call) => call.charge.basis,
  costUsd: (call) => (call.charge.basis === 'unpriced' ? undefined : call.charge.totalUsd),
}
const csvColumns = Object.keys(columns)

const csvLine = (call: Exported): string =>
  `${Object.values(columns)
    .map((of) => csvCell(String(of(call) ?? '')))
    .join(',')}\r\n`
