import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { bundle, worker } from './bundle.ts'
import { run } from './run.ts'

const root = resolve(import.meta.dirname, '..')
const dist = join(root, 'dist')

/** The package's entries and, as one more file beside them, the thread that writes the ledger. */
const entryPoints = {
  index: 'src/index.ts',
  embedded: 'src/embedded.ts',
  pricing: 'src/pricing.ts',
  server: 'src/server.ts',
  gateway: 'src/gateway.ts',
  ledger: 'src/ledger.ts',
  testing: 'src/testing.ts',
  cli: 'src/cli/main.ts',
  worker,
}

/** Makes the package in `dist/`: one bundle per entry with what they have in common in chunks, the types, the dashboard. The price book is not bundled: the package ships prices/book.json, which is read as JSON. */
export const buildPackage = async (): Promise<void> => {
  rmSync(dist, { recursive: true, force: true })
  mkdirSync(dist)
  const result = await bundle(entryPoints, dist)
  run('tsc', ['-p', 'tsconfig.build.json'])
  run('npm', ['run', '--silent', 'build', '-w', 'dashboard'])
  cpSync(join(root, 'dashboard/dist'), join(dist, 'dashboard'), { recursive: true })
  writeFileSync(join(dist, 'LICENSES.txt'), licences([...Object.keys(result.metafile.inputs), ...dashboardLibraries]))
}

/** What the dashboard's own bundle holds; Vite does not say. */
const dashboardLibraries = [
  'react',
  'react-dom',
  'scheduler',
  '@tanstack/react-router',
  '@tanstack/react-query',
  '@tanstack/react-table',
  'uplot',
  'radix-ui',
].map((name) => `node_modules/${name}/`)

/** The licence of every library that is bundled, as their terms ask for. */
const licences = (inputs: readonly string[]): string => {
  const names = new Set(inputs.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []))
  return [...names]
    .toSorted()
    .map((name) => `${name}\n\n${licenceOf(name)}`)
    .join(`\n\n${'-'.repeat(80)}\n\n`)
}

const licenceOf = (name: string): string => {
  const folder = join(root, 'node_modules', name)
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each))
  if (file !== undefined) return readFileSync(join(folder, file), 'utf8').trim()
  const { license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { readonly license?: string }
  return `Licence: ${license ?? 'see its page'}`
}

if (import.meta.main) {
  await buildPackage()
  if (!existsSync(join(dist, 'index.js'))) throw new Error('The build made no dist/index.js.')
  console.log('dist/ is ready: `npm pack` makes the package, `node dist/cli.js` runs it.')
}
