import { Worker } from 'node:worker_threads'
import { type ErrorCode, TaximeterError } from '../../core/errors.ts'

/** What a worker thread is told when it is made. */
export interface ThreadOptions {
  readonly role: 'writer' | 'reader'
  readonly path: string
  readonly durability: 'full' | 'normal'
  /** SQLite's own limit on the file's size, in pages; for tests of a full disk. */
  readonly pagesMax?: number
}

export interface Call {
  readonly id: number
  readonly method: string
  readonly values: readonly unknown[]
}

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly code: ErrorCode; readonly sentence: string } }

/** A worker thread that answers calls in their order. It keeps the process alive only while a call is under way. */
export interface Thread {
  call<Value>(method: string, values: readonly unknown[], transfer?: readonly ArrayBuffer[]): Promise<Value>
  close(): Promise<void>
}

/** The worker's file lies beside this one, in the source (.ts) and in the package (.js) alike. */
const workerUrl = (): URL => new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

/** Starts a thread and waits until it has opened the file; rejects with what it says when it cannot. */
export const startThread = async (options: ThreadOptions, url: URL = workerUrl()): Promise<Thread> => {
  // The program's own flags are not the thread's: `--input-type` or `--eval` would keep it from starting.
  const worker = new Worker(url, { workerData: options, execArgv: ['--disable-warning=ExperimentalWarning'] })
  const calls = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  let last = 0
  let failure: TaximeterError | undefined

  const fail = (cause: unknown): void => {
    failure ??= new TaximeterError('LEDGER_FAILED', `The ledger's ${options.role} has stopped. Open the ledger again.`, { cause })
    for (const { reject } of calls.values()) reject(failure)
    calls.clear()
  }
  worker.on('message', (reply: Reply) => {
    const waiting = calls.get(reply.id)
    calls.delete(reply.id)
    if (calls.size === 0) worker.unref()
    if ('error' in reply) waiting?.reject(new TaximeterError(reply.error.code, reply.error.sentence))
    else waiting?.resolve(reply.value)
  })
  worker.on('error', fail)
  worker.on('exit', fail)

  const thread: Thread = {
    call: <Value>(method: string, values: readonly unknown[], transfer: readonly ArrayBuffer[] = []) =>
      new Promise<Value>((resolve, reject) => {
        if (failure !== undefined) {
          reject(failure)
          return
        }
        const id = ++last
        calls.set(id, { resolve: resolve as (value: unknown) => void, reject })
        worker.ref()
        worker.postMessage({ id, method, values } satisfies Call, transfer as ArrayBuffer[])
      }),
    async close() {
      if (failure !== undefined) return
      // It ends by itself: to stop a thread from outside while it lets go of the file has aborted the whole process.
      const ended = new Promise((resolve) => worker.once('exit', resolve))
      await thread.call('close', []).catch(() => undefined)
      worker.ref()
      await ended
    },
  }
  try {
    await thread.call('open', [])
  } catch (error) {
    await thread.close()
    throw error
  }
  return thread
}
