import { Command } from 'commander'
import { amountOf } from '../../core/charge.ts'
import { TaximeterError } from '../../core/errors.ts'
import { readableUsd } from '../../core/readable.ts'
import { completionTokensOf, promptTokensOf } from '../../core/usage.ts'
import type { RunDetail, RunSummary, Store } from '../../ledger/store.ts'
import { runDetailJson } from '../../server/entry-json.ts'
import { type ConfigOptions, configOf, type Io } from '../io.ts'
import { openLedger } from '../open-ledger.ts'
import { printable } from '../text-table.ts'

/** `taximeter run <id>`: one run as a tree of its calls and sub-runs, with the cost so far. */
export const runCommand = (io: Io): Command =>
  new Command('run')
    .description('one run: its calls in order, tools, retries, sub-runs, and what each cost')
    .argument('<id>', 'the run')
    .option('--config <file>', 'configuration file')
    .option('--data <file>', "the ledger's file")
    .option('--json', 'exact, as JSON')
    .action(async (id: string, options: ConfigOptions & { readonly json?: true }) => {
      const { config } = configOf(io, options)
      const store = await openLedger(config, { mustExist: true })
      try {
        const detail = await store.run(id)
        if (detail === undefined)
          throw new TaximeterError(
            'NOT_FOUND',
            `There is no run "${printable(id)}" in ${config.data}. "taximeter runs" lists those that are.`,
          )
        io.out(
          options.json ? `${JSON.stringify(runDetailJson(detail), undefined, 2)}\n` : `${(await treeOf(store, detail, 0)).join('\n')}\n`,
        )
      } finally {
        await store.close()
      }
    })

/** Runs inside runs are shown to this depth; deeper ones by their summary. */
const depthMax = 5
const callsShownMax = 500

const treeOf = async (
  store: Pick<Store, 'run'>,
  { summary, calls, hasMore, children }: RunDetail,
  depth: number,
): Promise<readonly string[]> => {
  const lines = [runLine(summary)]
  let soFar = 0n
  for (const { call, charge } of calls.slice(0, callsShownMax)) {
    soFar += amountOf(charge)
    const what =
      call.kind === 'llm' ? `${call.model} ${promptTokensOf(call.usage)} → ${completionTokensOf(call.usage)} tokens` : `tool ${call.tool}`
    const marks = [
      call.step && `step ${call.step}`,
      call.attempt > 0 && `retry ${call.attempt}`,
      call.status !== 'ok' && `${call.status}${call.error === undefined ? '' : ` ${call.error}`}`,
      charge.basis !== 'computed' && charge.basis,
    ]
    const cost = charge.basis === 'unpriced' ? 'unpriced' : readableUsd(charge.total)
    lines.push(
      `├─ ${printable(what)}  ${cost}  (so far ${readableUsd(soFar)})${marks
        .filter(Boolean)
        .map((mark) => ` · ${printable(String(mark))}`)
        .join('')}`,
    )
  }
  if (hasMore || calls.length > callsShownMax)
    lines.push(`├─ … further calls: --json shows ${hasMore ? 'the first ten thousand' : 'all of them'}`)
  for (const child of children) {
    const detail = depth < depthMax ? await store.run(child.run) : undefined
    const inner = detail === undefined ? [runLine(child)] : await treeOf(store, detail, depth + 1)
    lines.push(...inner.map((line, index) => `${index === 0 ? '├─ ' : '│  '}${line}`))
  }
  return lines
}

const runLine = (run: RunSummary): string => {
  const budget = run.budget === undefined ? '' : ` of ${readableUsd(run.budget)}`
  const end = run.isOpen ? 'running' : (run.stopReason ?? run.status ?? 'ended')
  const names = [run.task, run.agent, run.release].filter((name) => name !== undefined).map((name) => printable(name))
  return `run ${printable(run.run)}  ${readableUsd(run.llmCost + run.toolCost)}${budget}  ${end}${names.length === 0 ? '' : `  (${names.join(' · ')})`}`
}
