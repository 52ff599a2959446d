import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundle, worker } from '../../scripts/bundle.ts'

/** One process of the bench, with the port that it listens on. */
export interface BenchProcess {
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

/** Takes orders. */
export interface Worker extends BenchProcess {
  ask<Answer>(message: unknown): Promise<Answer>
}

/** What the kernel says of a process: microseconds of all its threads since it began (in steps of ten milliseconds), and bytes. */
export const vitalsOf = ({ pid }: BenchProcess): { readonly cpuUs: number; readonly rss: number } => {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  const [user, system] = fields.split(' ').slice(11, 13).map(Number)
  const [, resident] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ').map(Number)
  return { cpuUs: ((user ?? Number.NaN) + (system ?? Number.NaN)) * 10_000, rss: (resident ?? Number.NaN) * 4_096 }
}

/** Where a process runs: proxies can have one core to themselves, whoever loads and feeds them the other. */
export type Core = 'proxies' | 'others'

/** Whether this machine can be divided. */
export const canPin = (): boolean => {
  try {
    execFileSync('taskset', ['-V'], { stdio: 'ignore' })
    return availableParallelism() >= 2
  } catch {
    return false
  }
}

const root = join(import.meta.dirname, '../..')

/** The processes as bundles, as the package ships its code: what runs from source has a compiler in its memory. */
export const bundleProcesses = async (): Promise<{ readonly folder: string; remove(): void }> => {
  const top = mkdtempSync(join(tmpdir(), 'taximeter-bench-'))
  const folder = join(top, 'dist')
  mkdirSync(folder)
  const own = Object.fromEntries(['upstream', 'load', 'bare-proxy'].map((name) => [name, `bench/gateway/${name}.ts`]))
  await bundle({ ...own, serve: 'src/cli/main.ts', worker }, folder)
  cpSync(join(root, 'package.json'), join(top, 'package.json'))
  cpSync(join(root, 'prices/book.json'), join(top, 'prices/book.json'))
  return { folder, remove: () => rmSync(top, { recursive: true, force: true }) }
}

export const startProcess = (path: string, args: readonly string[], core?: Core): Promise<Worker> =>
  new Promise((resolve, reject) => {
    const child = fork(path, args)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${path} ended with ${code}`)))
    child.once('message', (message) => {
      pin(child.pid, core)
      resolve({
        ...processOf(child, (message as { port: number }).port),
        ask: (order) =>
          new Promise((answered) => {
            child.once('message', (answer) => answered(answer as never))
            child.send(order as object)
          }),
      })
    })
  })

/** All threads that the process has now; those that it makes later inherit it. */
export const pin = (pid: number | undefined, core: Core | undefined): void => {
  if (core !== undefined && pid !== undefined)
    execFileSync('taskset', ['-acp', core === 'proxies' ? '0' : '1', String(pid)], { stdio: 'ignore' })
}

export const processOf = (child: ChildProcess, port: number): BenchProcess => ({
  port,
  pid: child.pid ?? Number.NaN,
  stop: () =>
    new Promise((resolve) => {
      child.once('exit', () => resolve())
      child.kill('SIGTERM')
    }),
})
