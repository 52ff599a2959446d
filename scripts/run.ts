import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')

/** Runs a command of the project (`node_modules/.bin` first) to its end; throws when it fails. Returns what it printed, if captured. */
export const run = (
  command: string,
  argv: readonly string[],
  options: { readonly capture?: boolean; readonly cwd?: string } = {},
): string => {
  const result = spawnSync(command, argv, {
    cwd: options.cwd ?? root,
    stdio: options.capture ? ['ignore', 'pipe', 'inherit'] : 'inherit',
    encoding: 'utf8',
    env: { ...process.env, PATH: `${resolve(root, 'node_modules/.bin')}:${process.env.PATH ?? ''}` },
    maxBuffer: 64 * 1024 * 1024,
  })
  if (result.error !== undefined) throw result.error
  if (result.status !== 0) throw new Error(`${command} ${argv.join(' ')} ended with ${result.status ?? result.signal}`)
  return result.stdout ?? ''
}
