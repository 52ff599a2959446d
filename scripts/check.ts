import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { buildPackage } from './build.ts'
import { run } from './run.ts'

const root = resolve(import.meta.dirname, '..')

/** All that has to hold before a change lands, besides the tests. Each step throws with its reason. */
const steps: readonly { readonly name: string; readonly check: () => void | Promise<void> }[] = [
  { name: 'types', check: () => void run('tsc', ['-p', '.']) },
  { name: "dashboard's types", check: () => void run('tsc', ['-p', 'dashboard']) },
  { name: 'lint and format', check: () => void run('biome', ['check', '--error-on-warnings', '.']) },
  { name: 'tidy', check: () => void run('vitest', ['run', '--reporter=dot', 'test/tidy.test.ts']) },
  { name: 'nothing unused', check: () => void run('knip', []) },
  { name: 'build', check: buildPackage },
  { name: 'package', check: checkPackage },
  { name: 'bytes of the SDK', check: checkSdkBytes },
]

const kilobyte = 1_024
const tarballBytesMax = 2 * 1_024 * kilobyte
const sdkBytesMax = 60 * kilobyte

/** The tarball itself: its size, what publint says of it, and whether its types resolve for every kind of importer that can use ESM. */
function checkPackage(): void {
  const folder = mkdtempSync(join(tmpdir(), 'taximeter-pack-'))
  try {
    const [packed] = JSON.parse(
      run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { capture: true }),
    ) as readonly { filename: string; size: number }[]
    if (packed === undefined) throw new Error('npm pack made no tarball.')
    const tarball = join(folder, packed.filename)
    const { size } = statSync(tarball)
    console.log(`  tarball ${(size / kilobyte).toFixed(0)} KB of ${tarballBytesMax / kilobyte} KB`)
    if (size > tarballBytesMax) throw new Error(`The tarball should have at most ${tarballBytesMax} bytes, it has ${size}.`)
    run('publint', ['run', tarball, '--strict'])
    run('attw', [tarball, '--profile', 'esm-only', '--exclude-entrypoints', './package.json'])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What `import 'taximeter'` loads: every chunk that it reaches without calling anything, and none of the ledger or the price book. */
async function checkSdkBytes(): Promise<void> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: ['dist/index.js'],
    outdir: 'dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    write: false,
    metafile: true,
  })
  const inputs = loadedBy('dist/index.js', result.metafile.inputs)
  const bytes = inputs.reduce((sum, path) => sum + statSync(join(root, path)).size, 0)
  console.log(`  the SDK's entry loads ${(bytes / kilobyte).toFixed(1)} KB of ${sdkBytesMax / kilobyte} KB`)
  if (bytes > sdkBytesMax)
    throw new Error(`Importing the SDK should load at most ${sdkBytesMax} bytes, it loads ${bytes}: ${inputs.join(', ')}`)
  const text = inputs.map((path) => readFileSync(join(root, path), 'utf8')).join('\n')
  if (/node:sqlite|book\.json/.test(text)) throw new Error('Importing the SDK loads a database or the price book.')
}

/** The files that are there before the first line of `entry` runs; what is imported later, when it is needed, is not among them. */
const loadedBy = (
  entry: string,
  files: Readonly<Record<string, { readonly imports: readonly { readonly path: string; readonly kind: string }[] }>>,
) => {
  const loaded = new Set([entry])
  for (const path of loaded) {
    for (const { path: next, kind } of files[path]?.imports ?? []) if (kind === 'import-statement' && next in files) loaded.add(next)
  }
  return [...loaded]
}

for (const step of steps) {
  const started = process.hrtime.bigint()
  console.log(`check: ${step.name}`)
  await step.check()
  console.log(`  ok, ${Number((process.hrtime.bigint() - started) / 1_000_000n)} ms`)
}
