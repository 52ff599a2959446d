import { createHash } from 'node:crypto'
import { Command } from 'commander'
import { sentenceOf, TaximeterError } from '../../core/errors.ts'
import { parseSpan } from '../../core/window.ts'
import type { Preview } from '../../guard/alerts/preview.ts'
import type { Rule } from '../../guard/alerts/rule.ts'
import type { Notice } from '../../guard/notifiers/notifier.ts'
import type { AlertRecord } from '../../ledger/alert-store.ts'
import { sqliteAlerts } from '../../ledger/sqlite/alerts.ts'
import { alertJson } from '../../server/alert-json.ts'
import { previewJson } from '../../server/alert-rules.ts'
import { alertingOf, rulesOf, tryRule } from '../alerting.ts'
import { type ConfigOptions, configOf, type Io } from '../io.ts'
import { createLog } from '../log.ts'
import { openLedger } from '../open-ledger.ts'
import { progressOn } from '../progress.ts'
import { settle } from '../settled.ts'
import { printable, textTable } from '../text-table.ts'

/** `taximeter alerts`: what fired, whether the notifiers are heard, and what each rule would have told. */
export const alertsCommand = (io: Io): Command =>
  new Command('alerts')
    .description('what is wrong now, and what was')
    // Options after "test" or "preview" are theirs.
    .enablePositionalOptions()
    .option('--limit <n>', 'how many', '50')
    .option('--config <file>', 'configuration file')
    .option('--data <file>', "the ledger's file")
    .option('--json', 'as JSON')
    .action((options: ListOptions) => listAlerts(io, options))
    .addCommand(testCommand(io))
    .addCommand(previewCommand(io))

interface ListOptions extends ConfigOptions {
  readonly limit: string
  readonly json?: true
}

const listAlerts = async (io: Io, options: ListOptions): Promise<void> => {
  const { config } = configOf(io, options)
  const store = await openLedger(config, { mustExist: true })
  const alertStore = sqliteAlerts({ path: config.data })
  try {
    const limit = Math.min(1_000, Math.max(1, Number.parseInt(options.limit, 10) || 50))
    const { alerts: known } = await alertStore.load(Number.POSITIVE_INFINITY)
    const past = (await alertStore.history(limit)).filter(({ state }) => state === 'resolved')
    const alerts = [...known.toReversed(), ...past].slice(0, limit)
    io.out(options.json ? `${JSON.stringify(alerts.map(alertJson), undefined, 2)}\n` : `${alertsText(alerts)}\n`)
  } finally {
    await alertStore.close()
    await store.close()
  }
}

const alertsText = (alerts: readonly AlertRecord[]): string =>
  alerts.length === 0
    ? 'No rule has found anything.'
    : textTable(
        [{ title: 'is' }, { title: 'severity' }, { title: 'rule' }, { title: 'since' }, { title: 'until' }, { title: 'what' }],
        alerts.map((alert) => [
          alert.partOf === undefined ? alert.state : `${alert.state} (told with another)`,
          alert.severity,
          alert.rule,
          minuteText(alert.startedAt),
          alert.resolvedAt === undefined ? '–' : minuteText(alert.resolvedAt),
          alert.message,
        ]),
        { cellCharsMax: 400 },
      )

const minuteText = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')}Z`

/** `taximeter alerts test`: a message that says what it is, to every notifier. Exit code 1 if one does not take it. */
const testCommand = (io: Io): Command =>
  new Command('test')
    .description('send a test message to every notifier, and say who took it')
    .option('--notifier <name>', 'only this one')
    .option('--config <file>', 'configuration file')
    .action(async (options: ConfigOptions & { readonly notifier?: string }) => {
      const loaded = configOf(io, options)
      const setup = alertingOf(loaded, createLog('info', io.err), io.now)
      const chosen = setup.notifiers.filter(({ name }) => options.notifier === undefined || options.notifier === name)
      try {
        if (chosen.length === 0)
          throw new TaximeterError(
            'NOT_FOUND',
            `There is no notifier "${options.notifier}". There are ${setup.notifiers.map(({ name }) => name).join(', ')}.`,
          )
        const outcomes = await Promise.all(
          chosen.map(async (notifier) => ({
            name: notifier.name,
            failure: await notifier.send(testNotice(io.now()), AbortSignal.timeout(testTimeoutMs)).then(
              () => undefined,
              (error: unknown) => sentenceOf(error),
            ),
          })),
        )
        for (const { name, failure } of outcomes)
          io.out(`${failure === undefined ? '✓' : '✗'} ${name}: ${printable(failure ?? 'taken', 300)}\n`)
        if (outcomes.some(({ failure }) => failure !== undefined)) io.setExitCode(1)
      } finally {
        await Promise.all(setup.notifiers.map((notifier) => notifier.close()))
      }
    })

const testTimeoutMs = 15_000

const testNotice = (now: number): Notice => {
  const id = createHash('sha256').update(`test ${now}`).digest('hex').slice(0, 32)
  return {
    id,
    transition: 'firing',
    alerts: [
      {
        id,
        rule: 'test',
        key: '[]',
        state: 'firing',
        severity: 'info',
        message: 'This is a test of taximeter’s alerts: nothing is wrong, and nothing has to be done.',
        segment: { test: 'yes' },
        value: '0',
        threshold: '0',
        query: '',
        startedAt: now,
        firedAt: now,
      },
    ],
  }
}

interface PreviewCommandOptions extends ConfigOptions {
  readonly rule?: string
  readonly last: string
  readonly json?: true
}

/** `taximeter alerts preview`: what each rule of the configuration would have told, had it been there. */
const previewCommand = (io: Io): Command =>
  new Command('preview')
    .description('when each rule would have fired, had it been there')
    .option('--rule <name>', 'only this one')
    .option('--last <span>', 'over the last 7d, 30d …', '30d')
    .option('--config <file>', 'configuration file')
    .option('--data <file>', "the ledger's file")
    .option('--json', 'as JSON')
    .action(async (options: PreviewCommandOptions) => {
      const loaded = configOf(io, options)
      const rules = chosenRules(rulesOf(loaded), options.rule)
      const spanMs = parseSpan(options.last)
      if (spanMs === undefined || spanMs > previewSpanMsMax)
        throw new TaximeterError('BAD_QUESTION', `--last should be a span up to 90d, such as 7d or 30d, got "${options.last}".`)
      const { budgets } = settle(loaded)
      const store = await openLedger(loaded.config, { mustExist: true })
      const previews: Preview[] = []
      try {
        for (const rule of rules) {
          const progress = progressOn(io, `${rule.name}: step`)
          const tried = await tryRule(rule, {
            store,
            budgets,
            zone: loaded.config.zone,
            now: io.now(),
            spanMs,
            onProgress: (done, of) => progress.at(done, of),
            signal: io.stop,
          })
          progress.end()
          previews.push(tried)
          if (!options.json) io.out(previewText(tried))
        }
        if (options.json)
          io.out(
            `${JSON.stringify(
              previews.map((preview) => ({ rule: preview.rule, ...previewJson(preview) })),
              undefined,
              2,
            )}\n`,
          )
      } finally {
        await store.close()
      }
    })

const previewSpanMsMax = 90 * 86_400_000

const chosenRules = (rules: readonly Rule[], name: string | undefined): readonly Rule[] => {
  const chosen = rules.filter((rule) => name === undefined || rule.name === name)
  if (chosen.length === 0)
    throw new TaximeterError('NOT_FOUND', `There is no rule "${name}". There are ${rules.map((rule) => rule.name).join(', ')}.`)
  return chosen
}

const previewText = ({ rule, fired, isComplete, to }: Preview): string => {
  const times = fired.length === 1 ? 'once' : `${fired.length} times`
  const head = fired.length === 0 ? `${rule}: would not have fired` : `${rule}: would have fired ${times}`
  const rest = isComplete ? '' : ` (tried until ${minuteText(to)})`
  return [`${head}${rest}`, ...fired.map(({ at, message }) => `  ${minuteText(at)}  ${printable(message, 300)}`), ''].join('\n')
}
