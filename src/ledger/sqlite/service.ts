import { sentenceOf, TaximeterError } from '../../core/errors.ts'
import type { Database } from './database.ts'
import { explain, openFile, openForReading } from './open-file.ts'
import { createReader } from './reader.ts'
import type { Call, Reply, Thread, ThreadOptions } from './thread.ts'
import type { Parcel } from './wire.ts'
import { createWriter, type WriterOptions } from './writer.ts'

type Methods = Readonly<Record<string, (...values: never[]) => unknown>>

/** What a thread does: it answers calls, the first of which opens the file. */
export const createService = (options: ThreadOptions, writerOptions: WriterOptions = {}): ((call: Call) => Reply) => {
  let database: Database | undefined
  let methods: Methods = {}

  const open = (): void => {
    if (options.role === 'writer') {
      database = openFile(options.path, options.durability, options.pagesMax)
      const writer = createWriter(database, writerOptions)
      methods = { append: (parcel: Parcel) => writer.append(parcel) }
    } else {
      database = openForReading(options.path)
      methods = { ...createReader(database, options.path) } as unknown as Methods
    }
  }

  return ({ id, method, values }) => {
    try {
      if (method === 'open') open()
      else if (method === 'close') database?.close()
      else return { id, value: methods[method]?.(...(values as never[])) }
      return { id, value: undefined }
    } catch (cause) {
      const error = cause instanceof TaximeterError ? cause : explain(cause, options.path)
      return { id, error: { code: error.code, sentence: sentenceOf(error) } }
    }
  }
}

/** The same without a thread of its own, for tests that open hundreds of ledgers. */
export const startDirect = async (options: ThreadOptions, writerOptions: WriterOptions = {}): Promise<Thread> => {
  const answer = createService(options, writerOptions)
  const thread: Thread = {
    async call<Value>(method: string, values: readonly unknown[]) {
      const reply = structuredClone(answer({ id: 0, method, values: structuredClone(values) }))
      if ('error' in reply) throw new TaximeterError(reply.error.code, reply.error.sentence)
      return reply.value as Value
    },
    async close() {
      await thread.call('close', [])
    },
  }
  await thread.call('open', [])
  return thread
}
