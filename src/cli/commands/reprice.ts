import { Command } from 'commander'
import { TaximeterError } from '../../core/errors.ts'
import { formatUsd } from '../../core/money.ts'
import { parseFilter, parseQuestion } from '../../core/question.ts'
import { readableUsd } from '../../core/readable.ts'
import { type RepriceResult, reprice } from '../../intake/reprice.ts'
import { bookOf } from '../book.ts'
import { collected } from '../collected.ts'
import { type ConfigOptions, configOf, type Io } from '../io.ts'
import { openLedger } from '../open-ledger.ts'
import { progressOn } from '../progress.ts'
import { textTable } from '../text-table.ts'

interface RepriceOptions extends ConfigOptions {
  readonly from: string
  readonly to?: string
  readonly model?: string
  readonly where?: readonly string[]
  readonly dryRun?: true
  readonly who?: string
  readonly why?: string
  readonly json?: true
}

/** `taximeter reprice`: past calls by the book as it is now; first shown, then corrected by further entries. */
export const repriceCommand = (io: Io): Command =>
  new Command('reprice')
    .description('price past calls by the book as it is now: --dry-run shows the difference, without it corrections are added')
    .requiredOption('--from <instant>', 'from this day or instant on')
    .option('--to <instant>', 'up to this day or instant; now when absent')
    .option('--model <names>', 'only these models, separated by commas')
    .option('--where <filter>', 'only provider:openai, task:refund … (repeatable)', collected)
    .option('--dry-run', 'show the difference and change nothing')
    .option('--who <name>', 'who corrects; kept with every correction')
    .option('--why <reason>', 'why; kept with every correction')
    .option('--config <file>', 'configuration file')
    .option('--data <file>', "the ledger's file")
    .option('--json', 'exact, as JSON')
    .action(async (options: RepriceOptions) => {
      const loaded = configOf(io, options)
      const { from, to } = parseQuestion({ from: options.from, to: options.to }, io.now())
      if (!options.dryRun && (options.who === undefined || options.why === undefined)) {
        throw new TaximeterError(
          'BAD_REQUEST',
          'A correction keeps who made it and why: give --who and --why, or --dry-run to see the difference first.',
        )
      }
      const where = [...(options.where ?? []), ...(options.model === undefined ? [] : [`model:${options.model}`])].map(parseFilter)
      const store = await openLedger(loaded.config, { mustExist: true })
      const progress = progressOn(io, 'looked at')
      try {
        const correction = options.dryRun ? undefined : { who: options.who ?? '', why: options.why ?? '' }
        const result = await reprice({
          store,
          book: bookOf(loaded),
          where,
          from,
          to,
          onProgress: progress.at,
          ...(correction && { correction }),
        })
        progress.end()
        io.out(
          options.json ? `${JSON.stringify(repriceJson(result), undefined, 2)}\n` : `${repriceText(result, correction === undefined)}\n`,
        )
      } finally {
        progress.end()
        await store.close()
      }
    })

const repriceJson = ({ rows, before, after, ...counts }: RepriceResult) => ({
  ...counts,
  beforeUsd: formatUsd(before),
  afterUsd: formatUsd(after),
  differenceUsd: formatUsd(after - before),
  rows: rows.map((row) => ({
    ...row,
    before: undefined,
    after: undefined,
    beforeUsd: formatUsd(row.before),
    afterUsd: formatUsd(row.after),
    differenceUsd: formatUsd(row.after - row.before),
  })),
})

const repriceText = (result: RepriceResult, isDry: boolean): string => {
  if (result.looked === 0) return 'No model call matches in this period, so that there is nothing to correct.'
  if (result.changed === 0) return `Nothing to correct: ${result.looked} calls cost the same under the book as it is now.`
  const cells = (before: bigint, after: bigint) => [
    readableUsd(before),
    readableUsd(after),
    `${after >= before ? '+' : ''}${readableUsd(after - before)}`,
  ]
  const table = textTable(
    [
      { title: 'day' },
      { title: 'provider' },
      { title: 'model' },
      { title: 'calls', align: 'right' },
      { title: 'before', align: 'right' },
      { title: 'after', align: 'right' },
      { title: 'difference', align: 'right' },
    ],
    [
      ...result.rows.map((row) => [row.day, row.provider, row.model, String(row.calls), ...cells(row.before, row.after)]),
      ['total', '', '', String(result.changed), ...cells(result.before, result.after)],
    ],
  )
  return `${table}\n\n${isDry ? 'Nothing was changed. Run it again without --dry-run, with --who and --why, to add these corrections.' : `${result.changed} corrections were added; the entries that they correct stay readable.`}`
}
