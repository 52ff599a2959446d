import { cpSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { bundle, worker } from '../../scripts/bundle.ts'
import { keptFolder } from './kept-ledger.ts'

/**
 * The path of the server as it comes in a package: bundled, the ledger's threads beside it. From the source each of its threads would
 * spend 70 ms more on taking the types out of it, which nobody who installs the package waits for.
 */
export const bundledServer = async (): Promise<string> => {
  const outdir = join(keptFolder, 'server')
  await bundle({ server: 'bench/views/view-server.ts', worker }, outdir)
  // Beside the bundle's folder, where the package has it.
  cpSync(resolve(import.meta.dirname, '../../prices/book.json'), join(keptFolder, 'prices/book.json'))
  return join(outdir, 'server.js')
}
