import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'

/** Where a program is, or undefined: Debian's packages `prometheus` and `prometheus-alertmanager` put them into the path. */
export const programPath = (...names: readonly string[]): string | undefined => {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of names) {
      try {
        accessSync(join(folder, name), constants.X_OK)
        return join(folder, name)
      } catch {
        // Not here.
      }
    }
  }
  return undefined
}

/** A port that nobody listens on now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('No port.'))))
    })
  })

export interface Running {
  readonly log: () => string
  /** SIGTERM, and SIGKILL after a while; resolves when it has ended. */
  stop(): Promise<void>
}

export const start = (path: string, argv: readonly string[]): Running => {
  const child: ChildProcess = spawn(path, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (log += chunk))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return {
    log: () => log,
    async stop() {
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      const force = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await ended
      clearTimeout(force)
    },
  }
}

export interface Ran {
  readonly code: number | null
  readonly out: string
}

/** Runs a program to its end. */
export const run = (
  path: string,
  argv: readonly string[],
  { input = '', cwd }: { readonly input?: string; readonly cwd?: string } = {},
): Ran => {
  const { status, stdout, stderr } = spawnSync(path, argv, { input, encoding: 'utf8', timeout: 30_000, ...(cwd !== undefined && { cwd }) })
  return { code: status, out: `${stdout}${stderr}` }
}

/** Asks again until the answer is there. Throws with the last reason when the time is over. */
export const until = async <Value>(what: string, ask: () => Promise<Value | undefined>, timeoutMs = 20_000): Promise<Value> => {
  const end = performance.now() + timeoutMs
  let reason: unknown
  for (;;) {
    try {
      const value = await ask()
      if (value !== undefined) return value
    } catch (error) {
      reason = error
    }
    if (performance.now() > end) throw new Error(`It took too long until ${what}.`, { cause: reason })
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
