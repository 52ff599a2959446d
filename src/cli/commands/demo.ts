import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { TaximeterError } from '../../core/errors.ts'
import { formatUsd, parseUsd } from '../../core/money.ts'
import { type Measure, parseQuestion } from '../../core/question.ts'
import type { Store } from '../../ledger/store.ts'
import { TokenTracker } from '../../sdk/token-tracker.ts'
import { demoUpstream } from '../demo/upstream.ts'
import { configOf, type Io } from '../io.ts'
import { listen } from '../listen.ts'
import { createLog } from '../log.ts'
import { reportText } from '../report.ts'
import { wire } from '../wire.ts'
import { runsText } from './runs.ts'

/** `taximeter demo`: the whole product once, on real input: a fresh ledger, the server, five agent tasks made with real clients, the report. */
export const demoCommand = (io: Io): Command =>
  new Command('demo')
    .description('five sample agent tasks with real clients against a local upstream, then the report and the dashboard')
    .option('--once', 'end after the report; exit code 0 if its totals agree with the raw rows')
    .option('--port <number>', 'port to listen on; a free one when absent', '0')
    .action(async (options: { readonly once?: true; readonly port: string }) => {
      const folder = mkdtempSync(join(tmpdir(), 'taximeter-demo-'))
      const data = join(folder, 'taximeter.db')
      const loaded = configOf({ ...io, environment: { TAXIMETER_PORT: options.port } }, { data })
      const wired = await wire(loaded, { log: createLog('warn', io.err), now: io.now })
      const upstream = demoUpstream()
      const listening = await listen(wired.server, { host: '127.0.0.1', port: loaded.config.port, hasKeys: false })
      try {
        await runTasks(io, listening.url, await upstream.listen())
        await printReport(io, wired.store)
        const isRight = await totalsAgree(io, wired.store)
        if (!isRight) io.setExitCode(1)
        io.out(`\nDashboard: ${listening.url}/ · metrics: ${listening.url}/metrics · ledger: ${data}\n`)
        if (!options.once && !io.stop.aborted) {
          io.out('Ctrl-C stops it and removes the ledger.\n')
          await once(io.stop, 'abort')
        }
      } finally {
        await listening.close()
        await Promise.all([wired.close(), upstream.close()])
        rmSync(folder, { recursive: true, force: true })
      }
    })

const runTasks = async (io: Io, url: string, upstream: string): Promise<void> => {
  // Three client libraries, 20 MB of memory: only for the demo.
  const { DemoFailure, tasks } = await import('../demo/tasks.ts')
  const tracker = new TokenTracker({ url, environment: 'demo', team: 'samples' })
  try {
    for (const task of tasks) {
      const end = await task.run(tracker, upstream).then(
        () => 'completed',
        (error: unknown) => {
          // Two tasks fail on purpose; anything else is a fault of the demo and is shown.
          if (error instanceof DemoFailure || (error instanceof Error && error.name === 'BudgetExceededError'))
            return `ended: ${error.message}`
          throw error
        },
      )
      io.out(`  ${task.title} … ${end}\n`)
    }
  } finally {
    await tracker.close()
  }
  const { dropped, failed } = tracker.stats()
  if (dropped + failed > 0)
    throw new TaximeterError('LEDGER_FAILED', `The demo lost ${dropped} events and failed to meter ${failed} calls.`)
}

const measures = 'cost,llmCost,toolCost,calls,retries,promptTokens,completionTokens'

const printReport = async (io: Io, store: Store): Promise<void> => {
  for (const by of ['task', 'release']) {
    const question = parseQuestion({ measure: measures, by, last: '1h' }, io.now())
    io.out(`\n${reportText(question, await store.ask(question))}\n`)
  }
  const { from, to } = parseQuestion({ last: '1h' }, io.now())
  const { runs } = await store.runs({ where: [], from, to, sort: 'costliest' }, { limit: 20 })
  io.out(`\n${runsText(runs)}\n`)
}

/** The report's totals against the raw entries, summed one by one. */
const totalsAgree = async (io: Io, store: Store): Promise<boolean> => {
  const question = parseQuestion(
    { measure: 'cost,calls,promptTokens,completionTokens' satisfies `${Measure},${string}`, last: '1h' },
    io.now(),
  )
  const { totals } = await store.ask(question)
  const { entries } = await store.entries({ where: [], from: question.from, to: question.to }, { limit: 1_000 })
  const raw = entries.reduce((sum, { charge }) => sum + (charge.basis === 'unpriced' ? 0n : charge.total), 0n)
  const isRight = parseUsd(String(totals.cost)) === raw && totals.calls === entries.length && entries.length > 0
  io.out(`\n${isRight ? 'Totals agree' : 'TOTALS DISAGREE'} with the ${entries.length} raw rows: $${formatUsd(raw)} and $${totals.cost}.\n`)
  return isRight
}
