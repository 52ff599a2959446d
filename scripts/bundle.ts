import { resolve } from 'node:path'
import { type BuildResult, build } from 'esbuild'

const root = resolve(import.meta.dirname, '..')

/**
 * Bundles entries (name → source file in the repository) the way the package has them: one file each, with what they have in common
 * in chunks. What starts the ledger's threads needs `worker` among its entries.
 */
export const bundle = (entryPoints: Readonly<Record<string, string>>, outdir: string): Promise<BuildResult<{ metafile: true }>> =>
  build({
    absWorkingDir: root,
    entryPoints,
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    // Names stay: they are in stack traces and in what `instanceof` is told by.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    // CommonJS libraries inside the bundle ask for node's modules by `require`.
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
    metafile: true,
    logLevel: 'warning',
  })

/** The thread that writes or reads the ledger. */
export const worker = 'src/ledger/sqlite/worker.ts'
