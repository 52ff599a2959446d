import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ProviderJson } from '../../src/core/book-json.ts'
import { compileBook, readProviders } from './book.ts'
import { buildProviders } from './build.ts'
import { sourceIds } from './candidate.ts'
import { checkProviders } from './checks.ts'
import { coverageOf } from './coverage.ts'
import { fetchSnapshots, loadSnapshots, withInstalledGenai } from './fetch.ts'
import { formatPrices } from './format.ts'
import { type Change, mergeProvider } from './merge.ts'
import type { Override } from './overrides.ts'
import { formatReport } from './report.ts'
import { readSnapshots, type Snapshots } from './sources.ts'

const usage = `npm run prices                                  compiles prices/*.json into prices/book.json
npm run prices -- update [--sources <folder>]   compares prices/ with what others publish, and says what would change
  --sources <folder>      snapshots; without it they are fetched from their public addresses
  --dates <source=day,…>  the days of the snapshots, where they are not today's
  --installed-genai <day> reads genai-prices from the installed package, published on that day, in place of the snapshot
  --date <day>            the day from which changed rates hold (today)
  --write                 writes the files and compiles the book
  --all                   lists everything instead of the first forty of each kind`

const folder = join(import.meta.dirname, '../../prices')

const compile = (providers: Readonly<Record<string, ProviderJson>>): void => {
  const book = compileBook(providers)
  writeFileSync(join(folder, 'book.json'), JSON.stringify(book))
  const models = Object.values(book.providers).reduce((sum, { models }) => sum + Object.keys(models).length, 0)
  console.log(`prices/book.json is version ${book.version}: ${models} models of ${Object.keys(book.providers).length} providers`)
}

const update = (snapshots: Snapshots, day: string, options: { readonly write: boolean; readonly all: boolean }): boolean => {
  const overrides = JSON.parse(readFileSync(join(folder, 'overrides.json'), 'utf8')) as readonly Override[]
  const readings = readSnapshots(snapshots)
  const built = buildProviders(
    readings.flatMap(({ candidates }) => candidates),
    overrides,
    day,
  )
  const providers: Record<string, ProviderJson> = readProviders(folder)
  const changes: Change[] = []
  for (const [id, fresh] of Object.entries(built.providers)) {
    const merged = mergeProvider(id, providers[id], fresh, day)
    providers[id] = merged.provider
    changes.push(...merged.changes)
  }
  const checks = checkProviders(providers, overrides)
  const coverage = coverageOf(readings, providers, overrides)
  const unread = readings.map(({ source, unread: names }) => ({ source, names }))
  console.log(formatReport({ changes, conflicts: built.conflicts, checks, coverage, unread }, options.all ? Number.POSITIVE_INFINITY : 40))
  if (checks.faults.length + coverage.faults.length > 0) return false
  if (options.write) {
    for (const [id, provider] of Object.entries(providers)) writeFileSync(join(folder, `${id}.json`), formatPrices(provider))
    compile(providers)
  }
  return true
}

const dayOf = (text: string, where: string): string => {
  if (!/^20\d\d-\d\d-\d\d$/.test(text) || Number.isNaN(Date.parse(text)))
    throw new Error(`${where} should be a day such as 2026-11-22, got "${text}"`)
  return text
}

/** `litellm=2026-08-01,portkey=2026-08-21`: the days of the snapshots, by source. */
const datesOf = (text: string): Readonly<Record<string, string>> => {
  const dates: Record<string, string> = {}
  for (const part of text.split(',').filter(Boolean)) {
    const [source = '', day = ''] = part.split('=')
    if (!sourceIds.some((id) => id === source))
      throw new Error(`--dates names a source that is none of ${sourceIds.join(', ')}: "${source}"`)
    dates[source] = dayOf(day, `--dates ${source}`)
  }
  return dates
}

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      sources: { type: 'string' },
      dates: { type: 'string' },
      'installed-genai': { type: 'string' },
      date: { type: 'string' },
      write: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const [command = 'compile'] = positionals
  if (values.help || !['compile', 'update'].includes(command)) {
    console.log(usage)
    return values.help ? 0 : 2
  }
  if (command === 'compile') {
    compile(readProviders(folder))
    return 0
  }
  const day = dayOf(values.date ?? new Date().toISOString().slice(0, 10), '--date')
  const dates = datesOf(values.dates ?? '')
  const snapshots = values.sources === undefined ? await fetchSnapshots(day) : loadSnapshots(values.sources, day, dates)
  const genai = values['installed-genai']
  return update(genai === undefined ? snapshots : await withInstalledGenai(snapshots, genai), day, values) ? 0 : 1
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  return 2
})
