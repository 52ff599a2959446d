import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { Command } from 'commander'
import { readableUsd } from '../../core/readable.ts'
import type { QueryAnswer, RunsAnswer } from '../../server/api.ts'
import { figure, markedFigure, totalsRow } from '../figures.ts'
import type { Io } from '../io.ts'
import { askServer, type ServerOptions } from '../server-client.ts'
import { textTable } from '../text-table.ts'

const everyMs = 2_000
const rowsShown = 15
/** Three names fit beside the figures. */
const cellCharsMax = 24

/** `taximeter top`: the fleet as it runs: agents by what they burn, and the runs in flight. One picture where nobody watches. */
export const topCommand = (io: Io): Command =>
  new Command('top')
    .description('live: agents by burn rate, and runs in flight')
    .option('--url <address>', 'the server (TAXIMETER_URL)')
    .option('--key <key>', 'a client key (TAXIMETER_KEY)')
    .option('--by <attribute>', 'what the rows are', 'agent')
    .action(async (options: ServerOptions & { readonly by: string }) => {
      if (!io.isTerminal) return io.out(`${await pictureOf(io, options)}\n`)
      // The alternate screen, so that what was there before comes back at the end.
      io.out('\u001b[?1049h\u001b[?25l')
      try {
        while (!io.stop.aborted) {
          const picture = await pictureOf(io, options)
          io.out(`\u001b[H\u001b[J${picture}\n\nCtrl-C ends it.`)
          await Promise.race([pause(everyMs), once(io.stop, 'abort')])
        }
      } finally {
        io.out('\u001b[?25h\u001b[?1049l')
      }
    })

const pictureOf = async (io: Io, options: ServerOptions & { readonly by: string }): Promise<string> => {
  const by = encodeURIComponent(options.by)
  const [hour, minute, runs] = await Promise.all([
    askServer<QueryAnswer>(io, options, `/v1/query?measure=cost,calls,errors,retries,tokens&by=${by}&last=1h&top=${rowsShown}`),
    askServer<QueryAnswer>(io, options, `/v1/query?measure=burnRatePerHour&by=${by}&last=5m`),
    askServer<RunsAnswer>(io, options, '/v1/runs?sort=newest&last=24h&limit=200'),
  ])
  const burning = new Map(minute.rows.map((row) => [row[options.by], markedFigure('burnRatePerHour', row)]))
  const open = runs.runs.filter(({ isOpen }) => isOpen)
  const agents = textTable(
    [
      { title: options.by },
      { title: 'burns per hour', align: 'right' },
      { title: 'last hour', align: 'right' },
      { title: 'calls', align: 'right' },
      { title: 'errors', align: 'right' },
      { title: 'retries', align: 'right' },
      { title: 'tokens', align: 'right' },
    ],
    hour.rows.map((row) => [
      String(row[options.by] ?? '(none)'),
      burning.get(row[options.by] ?? null) ?? readableUsd('0'),
      markedFigure('cost', row),
      ...(['calls', 'errors', 'retries', 'tokens'] as const).map((measure) => figure(measure, row[measure])),
    ]),
    { cellCharsMax },
  )
  const inFlight = textTable(
    [
      { title: 'run in flight' },
      { title: 'task' },
      { title: 'agent' },
      { title: 'since' },
      { title: 'calls', align: 'right' },
      { title: 'cost', align: 'right' },
    ],
    open
      .slice(0, rowsShown)
      .map((run) => [run.run, run.task ?? '–', run.agent ?? '–', run.startedAt.slice(11, 19), String(run.calls), readableUsd(run.costUsd)]),
    { cellCharsMax },
  )
  const unpriced = hour.coverage.unpriced.calls
  const heading = `taximeter · ${markedFigure('burnRatePerHour', totalsRow(minute))} per hour · ${markedFigure('cost', totalsRow(hour))} in the last hour${unpriced > 0 ? ` and ${unpriced} unpriced calls` : ''} · ${open.length} runs in flight`
  return `${heading}\n\n${agents}\n\n${inFlight}`
}
