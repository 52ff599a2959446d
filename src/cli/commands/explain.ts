import { Command } from 'commander'
import { createReadings, readingsAskedOf } from '../../server/readings.ts'
import { collected } from '../collected.ts'
import { type ConfigOptions, configOf, type Io } from '../io.ts'
import { openLedger } from '../open-ledger.ts'
import { readingsText } from '../readings-text.ts'

interface ExplainOptions extends ConfigOptions {
  readonly last?: string
  readonly from?: string
  readonly to?: string
  readonly tz?: string
  readonly where?: readonly string[]
  readonly compare?: string
  readonly json?: true
}

/** `taximeter explain`: what changed against the period before, another period or another release, and why. */
export const explainCommand = (io: Io): Command =>
  new Command('explain')
    .description('what changed against the period before and why: traffic, models, prompts, prices, retries, tools')
    .option('--last <span>', 'the last 1h, 24h, 7d … (default: 7d)')
    .option('--from <instant>', 'from this day or instant on')
    .option('--to <instant>', 'up to this day or instant')
    .option('--tz <zone>', 'time zone of days')
    .option('--where <filter>', 'only task:refund, model:a,b, -team: … (repeatable)', collected)
    .option('--compare <with>', 'previous, a period such as 2026-10-01..2026-11-01, or release:<name>', 'previous')
    .option('--config <file>', 'configuration file')
    .option('--data <file>', "the ledger's file")
    .option('--json', 'the exact answer as JSON')
    .action(async (options: ExplainOptions) => {
      const { config } = configOf(io, options)
      const hasPeriod = options.last !== undefined || options.from !== undefined || options.to !== undefined
      const asked = { ...options, ...(!hasPeriod && { last: '7d' }), tz: options.tz ?? config.zone }
      const question = readingsAskedOf(asked, io.now())
      const store = await openLedger(config, { mustExist: true })
      try {
        const answer = await createReadings(store)(question)
        io.out(options.json ? `${JSON.stringify(answer, undefined, 2)}\n` : `${readingsText(answer)}\n`)
      } finally {
        await store.close()
      }
    })
