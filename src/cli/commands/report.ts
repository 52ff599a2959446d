import { Command } from 'commander'
import type { LoadedConfig } from '../../config/load-config.ts'
import { parseQuestion } from '../../core/question.ts'
import { startOf } from '../../core/window.ts'
import { pastBudgets } from '../../guard/alerts/past-budgets.ts'
import { createForecasts } from '../../server/forecast.ts'
import { askCompared, comparedOf } from '../../server/previous-period.ts'
import { collected } from '../collected.ts'
import { forecastText } from '../forecast-text.ts'
import { type ConfigOptions, configOf, type Io } from '../io.ts'
import { openLedger } from '../open-ledger.ts'
import { comparedCsv, comparedText, reportCsv, reportText } from '../report.ts'
import { settle } from '../settled.ts'

interface ReportOptions extends ConfigOptions {
  readonly by: string
  readonly measure: string
  readonly interval?: string
  readonly last?: string
  readonly from?: string
  readonly to?: string
  readonly tz?: string
  readonly top?: string
  readonly where?: readonly string[]
  readonly compare?: string
  readonly forecast?: true
  readonly json?: true
  readonly csv?: true
}

/** The forecast stands for itself: it is about what comes, and no question put to the past. */
const reportForecast = async (io: Io, loaded: LoadedConfig, options: ReportOptions): Promise<void> => {
  const { config } = loaded
  const zone = options.tz ?? config.zone
  const store = await openLedger(config, { mustExist: true })
  try {
    const budgets = await pastBudgets(settle(loaded).budgets, store.ask, zone)(io.now())
    const answer = await createForecasts({ ask: store.ask, budgets: () => budgets, zone, now: io.now }).answer()
    io.out(options.json ? `${JSON.stringify(answer, undefined, 2)}\n` : `${forecastText(answer)}\n`)
  } finally {
    await store.close()
  }
}

/** `taximeter report`: any question put to the ledger's file, as a table, JSON or CSV. Without a period it is today. */
export const reportCommand = (io: Io): Command =>
  new Command('report')
    .description('what was spent, by task, agent, model, release or any other attribute')
    .option('--by <attributes>', 'break down by these, separated by commas', 'task')
    .option('--measure <measures>', 'what to show', 'cost,calls,promptTokens,completionTokens,costPerRun')
    .option('--interval <interval>', 'cut the period by minute, 15m, hour, day, week or month')
    .option('--last <span>', 'the last 1h, 24h, 7d …')
    .option('--from <instant>', 'from this day or instant on')
    .option('--to <instant>', 'up to this day or instant')
    .option('--tz <zone>', 'time zone of days, weeks and months')
    .option('--where <filter>', 'only task:refund, model:a,b, -team: … (repeatable)', collected)
    .option('--top <n>', 'keep the n largest, fold the rest into "other"')
    .option('--compare <with>', 'previous, a period such as 2026-10-01..2026-11-01, or release:<name>')
    .option('--forecast', 'what the day, the week, the month and the budgets will have cost at their end')
    .option('--config <file>', 'configuration file')
    .option('--data <file>', "the ledger's file")
    .option('--json', 'the exact answer as JSON')
    .option('--csv', 'the exact answer as CSV')
    .action(async (options: ReportOptions) => {
      const loaded = configOf(io, options)
      const { config } = loaded
      if (options.forecast) return reportForecast(io, loaded, options)
      const zone = options.tz ?? config.zone
      const isToday = options.last === undefined && options.from === undefined && options.to === undefined
      const from = isToday ? new Date(startOf('day', io.now(), zone)).toISOString() : options.from
      const question = parseQuestion({ ...options, from, tz: zone }, io.now())
      const store = await openLedger(config, { mustExist: true })
      try {
        if (options.compare === undefined) {
          const answer = await store.ask(question)
          if (options.json) io.out(`${JSON.stringify(answer, undefined, 2)}\n`)
          else io.out(options.csv ? reportCsv(question, answer) : `${reportText(question, answer)}\n`)
          return
        }
        // Buckets of two periods are not the same ones: the comparison in text is of the whole periods.
        const { interval: _, ...whole } = question
        const asked = options.json ? question : whole
        const { answer, previous } = await askCompared(store.ask, asked, comparedOf(asked, options.compare, io.now()))
        if (options.json) io.out(`${JSON.stringify({ ...answer, previous }, undefined, 2)}\n`)
        else if (options.csv) io.out(comparedCsv(asked, answer, previous))
        else
          io.out(
            `${reportText(question, asked === question ? answer : await store.ask(question))}\n\n${comparedText(asked, answer, previous)}\n`,
          )
      } finally {
        await store.close()
      }
    })
