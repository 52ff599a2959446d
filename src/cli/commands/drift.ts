import { Command } from 'commander'
import { formatUsd } from '../../core/money.ts'
import { parseFilter, parseQuestion } from '../../core/question.ts'
import { readableChange, readableUsd } from '../../core/readable.ts'
import { driftOf } from '../../intake/drift.ts'
import { collected } from '../collected.ts'
import { type ConfigOptions, configOf, type Io } from '../io.ts'
import { openLedger } from '../open-ledger.ts'
import { progressOn } from '../progress.ts'
import { textTable } from '../text-table.ts'

interface DriftOptions extends ConfigOptions {
  readonly last?: string
  readonly from?: string
  readonly to?: string
  readonly where?: readonly string[]
  readonly json?: true
}

/** `taximeter drift`: what providers reported against what the price book makes of the same calls. */
export const driftCommand = (io: Io): Command =>
  new Command('drift')
    .description('what providers reported against what the price book makes of the same calls, by model')
    .option('--last <span>', 'the last 1h, 24h, 7d …')
    .option('--from <instant>', 'from this day or instant on')
    .option('--to <instant>', 'up to this day or instant')
    .option('--where <filter>', 'only provider:openrouter, model:a,b … (repeatable)', collected)
    .option('--config <file>', 'configuration file')
    .option('--data <file>', "the ledger's file")
    .option('--json', 'exact, as JSON')
    .action(async (options: DriftOptions) => {
      const { config } = configOf(io, options)
      const { from, to } = parseQuestion({ last: options.last, from: options.from, to: options.to }, io.now())
      const store = await openLedger(config, { mustExist: true })
      const progress = progressOn(io, 'looked at')
      try {
        const rows = await driftOf(store, { where: (options.where ?? []).map(parseFilter), from, to }, progress.at)
        progress.end()
        if (options.json) {
          const exact = rows.map(({ reported, computed, ...row }) => ({
            ...row,
            reportedUsd: formatUsd(reported),
            computedUsd: formatUsd(computed),
            driftUsd: formatUsd(reported - computed),
          }))
          io.out(`${JSON.stringify(exact, undefined, 2)}\n`)
          return
        }
        const table = textTable(
          [
            { title: 'provider' },
            { title: 'model' },
            { title: 'calls', align: 'right' },
            { title: 'reported', align: 'right' },
            { title: 'computed', align: 'right' },
            { title: 'drift', align: 'right' },
          ],
          rows.map((row) => [
            row.provider,
            row.model,
            String(row.calls),
            readableUsd(row.reported),
            readableUsd(row.computed),
            row.uncomputed === row.calls ? 'no price' : (readableChange(row.computed, row.reported) ?? '–'),
          ]),
        )
        io.out(rows.length === 0 ? 'No provider reported a cost in this period.\n' : `${table}\n`)
      } finally {
        progress.end()
        await store.close()
      }
    })
