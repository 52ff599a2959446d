import { parentPort, workerData } from 'node:worker_threads'
import { createService } from './service.ts'
import type { Call, ThreadOptions } from './thread.ts'

/**
 * The ledger's threads: one writes, others read. No statement runs on the event loop, so that neither a commit that waits for the
 * disk nor a question that reads a year holds up the program; and a question never holds up the writer, which SQLite's log lets go
 * on beside any number of readers.
 */
const answer = createService(workerData as ThreadOptions)

parentPort?.on('message', (call: Call) => {
  parentPort?.postMessage(answer(call))
  if (call.method === 'close') parentPort?.close()
})
