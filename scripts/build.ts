import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'
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
  worker: 'src/ledger/sqlite/worker.ts',
}

/** The book stays a JSON file of its own: JSON is read several times faster than the same data as a program. */
const bookBeside: Plugin = {
  name: 'book-beside',
  setup(builder) {
    builder.onResolve({ filter: /prices\/book\.json$/ }, () => ({ path: './book.json', external: true }))
  },
}

/** Makes the package in `dist/`: one bundle per entry with what they have in common in chunks, the types, the book, the dashboard. */
export const buildPackage = async (): Promise<void> => {
  rmSync(dist, { recursive: true, force: true })
  mkdirSync(dist)
  await build({
    absWorkingDir: root,
    entryPoints,
    outdir: dist,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    // Names stay: they are in stack traces and in what `instanceof` is told by.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'external',
    plugins: [bookBeside],
    // CommonJS libraries inside the bundle ask for node's modules by `require`.
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
    logLevel: 'warning',
  })
  cpSync(join(root, 'prices/book.json'), join(dist, 'book.json'))
  run('tsc', ['-p', 'tsconfig.build.json'])
  run('npm', ['run', '--silent', 'build', '-w', 'dashboard'])
  cpSync(join(root, 'dashboard/dist'), join(dist, 'dashboard'), { recursive: true })
  writeFileSync(join(dist, 'LICENSES.txt'), licences())
}

/** The notices of what is bundled, as their licences ask for. */
const licences = (): string => {
  const folder = join(root, 'node_modules')
  const names = readdirSync(folder).flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(folder, name)).map((inner) => `${name}/${inner}`) : [name],
  )
  const bundled = [
    '@hono/node-server',
    '@hono/zod-openapi',
    '@asteasolutions/zod-to-openapi',
    'openapi3-ts',
    'commander',
    'croner',
    'hono',
    'pino',
    'prom-client',
    'undici',
    'yaml',
    'zod',
    'react',
    'react-dom',
    'uplot',
  ]
  return bundled
    .filter((name) => names.includes(name))
    .map((name) => `${name}: see https://www.npmjs.com/package/${name}`)
    .join('\n')
}

if (import.meta.main) {
  await buildPackage()
  if (!existsSync(join(dist, 'index.js'))) throw new Error('The build made no dist/index.js.')
  console.log('dist/ is ready: `npm pack` makes the package, `node dist/cli.js` runs it.')
}
