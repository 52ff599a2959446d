import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../scripts/run.ts'

/** What can be measured, in the order in which it is: each in a process of its own, so that none warms or litters another's. */
const measured: readonly { readonly name: string; readonly about: string }[] = [
  { name: 'ingest', about: '(a) events/s acknowledged over HTTP against bare SQLite inserts of the same rows' },
  { name: 'ledger', about: '(b) events/s through the store alone against the same inserts; bytes per call' },
  { name: 'views', about: 'what a person waits for at ten million calls, against the same over raw rows and over DuckDB' },
  { name: 'sdk', about: '(c) what metering adds to a call through tracker.fetch' },
  { name: 'charging', about: '(d) charges/s, against genai-prices, and how long the book takes to load' },
  { name: 'providers', about: 'usage read from bodies and from streams against a scan of their bytes' },
  { name: 'quote', about: 'lines/s that `taximeter quote --jsonl` answers, a process of its own, for bodies of 1 KB' },
  { name: 'budgets', about: 'one decision with ten budgets bound' },
  { name: 'metrics', about: 'a scrape of many series' },
  { name: 'alerts', about: 'a round of 200 rules' },
  { name: 'gateway', about: 'requests/s through the gateway against a bare pass-through' },
]

const fileOf = (name: string): string | undefined =>
  [`${name}.ts`, `${name}/main.ts`].map((path) => join(import.meta.dirname, path)).find((path) => existsSync(path))

const [...asked] = process.argv.slice(2)
const unknown = asked.find((name) => !measured.some((each) => each.name === name))
if (unknown !== undefined)
  throw new Error(
    `"${unknown}" cannot be measured. Choose of ${measured.map(({ name }) => name).join(', ')} (${readdirSync(import.meta.dirname).length} files in bench/).`,
  )

console.log(
  `node ${process.version}, ${process.platform} ${process.arch}. Ratios are of one run on one machine; absolute figures are not comparable.\n`,
)
for (const { name, about } of measured) {
  const file = fileOf(name)
  if ((asked.length > 0 && !asked.includes(name)) || file === undefined) continue
  console.log(`── ${name}: ${about}`)
  run('node', [file])
  console.log()
}
