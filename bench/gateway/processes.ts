import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

/** One process of the bench, with the port that it listens on. */
export interface BenchProcess {
  readonly port: number
  ask<Answer>(message: unknown): Promise<Answer>
  stop(): Promise<void>
}

/** Proxies have one core to themselves, whoever loads and feeds them the other, where the machine lets itself be divided. */
export type Core = 'proxies' | 'others'

const canPin = (() => {
  try {
    execFileSync('taskset', ['-V'], { stdio: 'ignore' })
    return availableParallelism() >= 2
  } catch {
    return false
  }
})()
export const pinning = canPin ? 'proxies on core 0, upstream and load on core 1' : 'not pinned'

export const startProcess = (file: string, args: readonly string[], core: Core): Promise<BenchProcess> =>
  new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, file), args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)))
    child.once('message', (message) => {
      pin(child.pid, core)
      resolve(processOf(child, (message as { port: number }).port))
    })
  })

/** All threads that the process has now; those that it makes later inherit it. */
export const pin = (pid: number | undefined, core: Core): void => {
  if (canPin && pid !== undefined) execFileSync('taskset', ['-acp', core === 'proxies' ? '0' : '1', String(pid)], { stdio: 'ignore' })
}

const processOf = (child: ChildProcess, port: number): BenchProcess => ({
  port,
  ask: (message) =>
    new Promise((resolve) => {
      child.once('message', (answer) => resolve(answer as never))
      child.send(message as object)
    }),
  stop: () =>
    new Promise((resolve) => {
      child.once('exit', () => resolve())
      child.kill('SIGTERM')
    }),
})
