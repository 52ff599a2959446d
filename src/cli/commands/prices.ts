import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import type { BookJson } from '../../core/book-json.ts'
import { sentenceOf, TaximeterError } from '../../core/errors.ts'
import { checkBook, diffBooks, flatRatesOf, historyOf, type PricePeriod, searchPrices } from '../../core/price-history.ts'
import { bookJsonOf } from '../book.ts'
import { type ConfigOptions, configOf, type Io } from '../io.ts'
import { textTable } from '../text-table.ts'

type Options = Pick<ConfigOptions, 'config'> & { readonly json?: true }

/** `taximeter prices`: the price book with what the configuration adds to it. */
export const pricesCommand = (io: Io): Command => {
  const command = new Command('prices').description('what models cost: show, history, diff, check')
  const sub = (name: string, about: string) =>
    command.command(name).description(about).option('--config <file>', 'configuration file').option('--json', 'exact, as JSON')

  sub('show', 'the rates that hold now, of a model or of all whose name holds a text')
    .argument('<model>', 'a name, "provider/name", or part of one')
    .action((model: string, options: Options) => {
      const book = bookOf(io, options)
      const exact = historyOf(book, model).filter(({ until }) => until === undefined)
      tell(io, options, exact.length > 0 ? exact : searchPrices(book, model, io.now()), model)
    })
  sub('history', 'every dated period of a model, oldest first')
    .argument('<model>', 'a name or "provider/name"')
    .action((model: string, options: Options) => tell(io, options, historyOf(bookOf(io, options), model), model))
  sub('diff', 'what differs between another book and this one')
    .argument('<file>', 'the other book.json, the older one')
    .action((file: string, options: Options) => {
      const changes = diffBooks(readBook(file), bookOf(io, options))
      if (options.json) io.out(`${JSON.stringify(changes, undefined, 2)}\n`)
      else if (changes.length === 0) io.out('The books agree.\n')
      else
        io.out(
          `${textTable(
            [
              { title: 'provider' },
              { title: 'model' },
              { title: 'what' },
              { title: 'from' },
              { title: 'rate' },
              { title: 'before', align: 'right' },
              { title: 'after', align: 'right' },
            ],
            changes.map((change) => [
              change.provider,
              change.model,
              change.kind,
              change.from ?? '',
              change.place ?? '',
              change.before ?? '–',
              change.after ?? '–',
            ]),
          )}\n`,
        )
    })
  sub('check', 'whether every period has a source, a confidence and rates that can be read; exit code 1 if not').action(
    (options: Options) => {
      const book = bookOf(io, options)
      const complaints = checkBook(book)
      const models = Object.values(book.providers).reduce((sum, { models: each }) => sum + Object.keys(each).length, 0)
      if (complaints.length > 0) io.setExitCode(1)
      io.out(
        options.json
          ? `${JSON.stringify(complaints, undefined, 2)}\n`
          : `${[...complaints, `Book ${book.version}: ${models} models of ${Object.keys(book.providers).length} providers, ${complaints.length} complaints.`].join('\n')}\n`,
      )
    },
  )
  return command
}

const bookOf = (io: Io, options: Options): BookJson => bookJsonOf(configOf(io, options))

const readBook = (file: string): BookJson => {
  try {
    const json = JSON.parse(readFileSync(file, 'utf8')) as BookJson
    if (typeof json.version !== 'string' || typeof json.providers !== 'object') throw new Error('it has no "version" and "providers"')
    return json
  } catch (cause) {
    throw new TaximeterError('BAD_PRICE', `${file} is not a price book: ${sentenceOf(cause)}.`, { cause })
  }
}

const tell = (io: Io, options: Options, periods: readonly PricePeriod[], asked: string): void => {
  if (periods.length === 0)
    throw new TaximeterError(
      'NOT_FOUND',
      `The book has no price for "${asked}". Its calls are unpriced until you add one under "prices" in taximeter.yaml.`,
    )
  io.out(options.json ? `${JSON.stringify(periods, undefined, 2)}\n` : `${periods.map(periodText).join('\n\n')}\n`)
}

const periodText = ({ provider, model, aliases, period, until, source }: PricePeriod): string => {
  const dates = `${period.from === undefined ? 'always' : `from ${period.from}`}${until === undefined ? '' : ` until ${until}`}`
  const rates = [...flatRatesOf(period)].map(([place, rate]) => [place, place.endsWith('×') ? rate : `$${rate}`])
  const heading = `${provider}/${model} · ${dates} · ${period.confidence ?? 'of unknown confidence'}${aliases.length === 0 ? '' : `\nalso ${aliases.slice(0, 6).join(', ')}${aliases.length > 6 ? ' …' : ''}`}`
  return `${heading}\n${textTable([{ title: 'rate' }, { title: 'USD', align: 'right' }], rates)}${source === undefined ? '' : `\nsource: ${source}`}`
}
