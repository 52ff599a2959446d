import { cpSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { keptFolder } from './kept-ledger.ts'

const root = resolve(import.meta.dirname, '../..')

/**
 * The path of the server as it comes in a package: bundled, the ledger's threads beside it. From the source each of its threads would
 * spend 70 ms more on taking the types out of it, which nobody who installs the package waits for.
 */
export const bundledServer = async (): Promise<string> => {
  const outdir = join(keptFolder, 'server')
  await build({
    absWorkingDir: root,
    entryPoints: { server: 'bench/views/view-server.ts', worker: 'src/ledger/sqlite/worker.ts' },
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    minifySyntax: true,
    minifyWhitespace: true,
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
    logLevel: 'warning',
  })
  // Beside the bundle's folder, where the package has it.
  cpSync(join(root, 'prices/book.json'), join(keptFolder, 'prices/book.json'))
  return join(outdir, 'server.js')
}
