import { Command } from 'commander'
import { TaximeterError } from '../../core/errors.ts'
import { listOrders, parseFilter, parseQuestion } from '../../core/question.ts'
import { readableUsd } from '../../core/readable.ts'
import { pageLimitMax, type RunSummary } from '../../ledger/store.ts'
import { runJson } from '../../server/entry-json.ts'
import { collected } from '../collected.ts'
import { type ConfigOptions, configOf, type Io } from '../io.ts'
import { openLedger } from '../open-ledger.ts'
import { textTable } from '../text-table.ts'

interface RunsOptions extends ConfigOptions {
  readonly sort: string
  readonly last?: string
  readonly from?: string
  readonly to?: string
  readonly where?: readonly string[]
  readonly limit: string
  readonly json?: true
}

/** `taximeter runs`: the runs that began in a period, costliest first. */
export const runsCommand = (io: Io): Command =>
  new Command('runs')
    .description('the runs of a period, costliest first')
    .option('--sort <order>', listOrders.join(', '), 'costliest')
    .option('--last <span>', 'the last 1h, 24h, 7d …')
    .option('--from <instant>', 'from this day or instant on')
    .option('--to <instant>', 'up to this day or instant')
    .option('--where <filter>', 'only task:refund, agent:a,b … (repeatable)', collected)
    .option('--limit <n>', 'how many', '20')
    .option('--config <file>', 'configuration file')
    .option('--data <file>', "the ledger's file")
    .option('--json', 'exact, as JSON')
    .action(async (options: RunsOptions) => {
      const { config } = configOf(io, options)
      const sort = listOrders.find((each) => each === options.sort)
      if (sort === undefined)
        throw new TaximeterError('BAD_QUESTION', `--sort should be one of ${listOrders.join(', ')}, got "${options.sort}".`)
      const limit = /^\d{1,4}$/.test(options.limit) ? Number(options.limit) : 0
      if (limit < 1 || limit > pageLimitMax)
        throw new TaximeterError('BAD_REQUEST', `--limit should be a number from 1 to ${pageLimitMax}, got "${options.limit}".`)
      const { from, to } = parseQuestion({ last: options.last, from: options.from, to: options.to }, io.now())
      const store = await openLedger(config, { mustExist: true })
      try {
        const page = await store.runs({ where: (options.where ?? []).map(parseFilter), from, to, sort }, { limit })
        io.out(options.json ? `${JSON.stringify(page.runs.map(runJson), undefined, 2)}\n` : `${runsText(page.runs)}\n`)
      } finally {
        await store.close()
      }
    })

export const runsText = (runs: readonly RunSummary[]): string => {
  if (runs.length === 0) return 'No runs in this period.'
  return textTable(
    [
      { title: 'run' },
      { title: 'task' },
      { title: 'agent' },
      { title: 'release' },
      { title: 'ended' },
      { title: 'calls', align: 'right' },
      { title: 'tokens', align: 'right' },
      { title: 'tools', align: 'right' },
      { title: 'cost', align: 'right' },
    ],
    runs.map((run) => [
      run.run,
      run.task ?? '–',
      run.agent ?? '–',
      run.release ?? '–',
      run.isOpen ? 'running' : (run.stopReason ?? run.status ?? '–'),
      String(run.llmCalls),
      String(run.promptTokens + run.completionTokens),
      readableUsd(run.toolCost),
      costText(run),
    ]),
  )
}

/** "≥" stands for the calls that have no price. */
const costText = ({ llmCost, toolCost, unpricedCalls }: RunSummary): string => {
  if (unpricedCalls === 0) return readableUsd(llmCost + toolCost)
  return llmCost + toolCost === 0n ? 'unpriced' : `≥ ${readableUsd(llmCost + toolCost)}`
}
