import { Command } from 'commander'
import { grouped, readableUsd } from '../../core/readable.ts'
import type { BudgetJson, BudgetsAnswer } from '../../server/api.ts'
import type { Io } from '../io.ts'
import { askServer, type ServerOptions } from '../server-client.ts'
import { textTable } from '../text-table.ts'

/** `taximeter budgets`: what GET /v1/budgets says, of the running server: only it knows what is set aside now. */
export const budgetsCommand = (io: Io): Command =>
  new Command('budgets')
    .description('limit, spent, reserved, remaining, burn rate, time to exhaustion and reset of each budget')
    .option('--url <address>', 'the server (TAXIMETER_URL)')
    .option('--key <key>', 'a client key (TAXIMETER_KEY)')
    .option('--json', 'exact, as JSON')
    .action(async (options: ServerOptions & { readonly json?: true }) => {
      const answer = await askServer<BudgetsAnswer>(io, options, '/v1/budgets')
      io.out(options.json ? `${JSON.stringify(answer, undefined, 2)}\n` : `${budgetsText(answer)}\n`)
    })

const budgetsText = ({ budgets, hasMore }: BudgetsAnswer): string => {
  if (budgets.length === 0) return 'No budgets. Add some under "budgets" in taximeter.yaml; docs/guides/budgets.md shows how.'
  const amount = (budget: BudgetJson, text: string): string => (budget.unit === 'usd' ? readableUsd(text) : `${grouped(text)} tokens`)
  const minute = (text: string | undefined): string => (text === undefined ? '–' : `${text.slice(0, 16).replace('T', ' ')}Z`)
  const table = textTable(
    [
      { title: 'budget' },
      { title: 'of' },
      { title: 'limit', align: 'right' },
      { title: 'spent', align: 'right' },
      { title: 'reserved', align: 'right' },
      { title: 'remaining', align: 'right' },
      { title: 'per hour', align: 'right' },
      { title: 'exhausted' },
      { title: 'resets' },
      { title: 'is' },
    ],
    budgets.map((budget) => [
      budget.name,
      budget.value ?? budget.scope,
      amount(budget, budget.limit),
      `${amount(budget, budget.spent)} (${Math.round(budget.share * 100)} %)`,
      amount(budget, budget.reserved),
      amount(budget, budget.remaining),
      budget.burnRatePerHour === undefined ? '–' : amount(budget, budget.burnRatePerHour),
      minute(budget.exhaustsAt),
      minute(budget.resetsAt),
      budget.status,
    ]),
  )
  return hasMore ? `${table}\n\nMore allowances exist; the fullest are shown.` : table
}
