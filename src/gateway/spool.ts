import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { appendFile, open, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { TaximeterError } from '../core/errors.ts'

/** An event that waits for the ledger, with the public id of the client key that its call came with. Ids make sending it twice safe. */
export interface Waiting {
  readonly event: { readonly id: string }
  readonly key?: string | undefined
}

/**
 * Events on disk while the ledger cannot take them.
 *
 * Append-only files of lines, so that a crash can only tear the last line of one; a file is deleted once all of it is in the
 * ledger. One process at a time owns the folder.
 */
export interface Spool {
  /** True when the events are on disk to stay; false when there is no room for them or the disk failed. */
  keep(events: readonly Waiting[]): Promise<boolean>
  /** Hands everything on, oldest first, in batches. Stops at the first batch that is refused; what was handed on and not deleted comes again. */
  replay(take: (batch: readonly Waiting[]) => Promise<void>): Promise<void>
  readonly bytes: number
  readonly isEmpty: boolean
  close(): Promise<void>
}

export interface SpoolOptions {
  readonly folder: string
  readonly bytesMax: number
  /** A file is closed at this size and the next one begun. */
  readonly fileBytesMax?: number
  readonly batchEventsMax?: number
}

const fileName = /^events-(\d{10})\.ndjson$/
const nameOf = (number: number): string => `events-${String(number).padStart(10, '0')}.ndjson`

interface SpoolFile {
  readonly path: string
  bytes: number
}

/** Opens the folder, making it if need be, and finds what an earlier process left there. Throws when it cannot be used. */
export const createSpool = (options: SpoolOptions): Spool => {
  const { folder, bytesMax, fileBytesMax = 8 * 1_048_576, batchEventsMax = 500 } = options
  const { files, next } = readFolder(folder)
  let number = next
  let total = files.reduce((sum, file) => sum + file.bytes, 0)
  /** The file that is being written, the last of `files`; absent after a restart, since its last line may be torn. */
  let current: SpoolFile | undefined
  let writing: Promise<boolean> = Promise.resolve(true)
  let pending: { readonly lines: string; readonly bytes: number }[] = []

  const currentFile = (): SpoolFile => {
    if (current !== undefined && current.bytes < fileBytesMax) return current
    current = { path: join(folder, nameOf(number)), bytes: 0 }
    number += 1
    files.push(current)
    return current
  }

  /** All that came while the last write was under way is one write and one flush. */
  const write = async (): Promise<boolean> => {
    const group = pending
    pending = []
    const bytes = group.reduce((sum, { bytes: part }) => sum + part, 0)
    const file = currentFile()
    file.bytes += bytes
    try {
      await appendFlushed(file.path, group.map(({ lines }) => lines).join(''))
      return true
    } catch {
      // A torn line may be left at the end: nothing more goes into this file. Its size is counted until it is deleted.
      current = undefined
      return false
    }
  }

  return {
    keep(events) {
      const lines = events.map((waiting) => `${JSON.stringify(waiting)}\n`).join('')
      const bytes = Buffer.byteLength(lines)
      if (total + bytes > bytesMax) return Promise.resolve(false)
      total += bytes
      pending.push({ lines, bytes })
      if (pending.length === 1) writing = writing.then(write)
      return writing
    },
    async replay(take) {
      for (let file = files[0]; file !== undefined; file = files[0]) {
        // Whatever comes from now on goes into another file; what is being written into this one is waited for.
        if (file === current) current = undefined
        await writing
        const waiting = await readWaiting(file.path)
        for (let from = 0; from < waiting.length; from += batchEventsMax) await take(waiting.slice(from, from + batchEventsMax))
        await unlink(file.path).catch(ignoreMissing)
        files.shift()
        total -= file.bytes
      }
    },
    get bytes() {
      return total
    },
    get isEmpty() {
      return files.length === 0 && pending.length === 0
    },
    async close() {
      await writing
    },
  }
}

const readFolder = (folder: string): { readonly files: SpoolFile[]; readonly next: number } => {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const names = readdirSync(folder)
      .filter((name) => fileName.test(name))
      .sort()
    const files = names.map((name) => ({ path: join(folder, name), bytes: statSync(join(folder, name)).size }))
    return { files, next: Number(fileName.exec(names.at(-1) ?? '')?.[1] ?? 0) + 1 }
  } catch (cause) {
    throw new TaximeterError('BAD_CONFIG', `The spool folder ${folder} cannot be used: ${(cause as Error).message}`, { cause })
  }
}

const appendFlushed = async (path: string, lines: string): Promise<void> => {
  const handle = await open(path, 'a', 0o600)
  try {
    await appendFile(handle, lines)
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

const ignoreMissing = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'ENOENT') throw error
}

const readWaiting = async (path: string): Promise<readonly Waiting[]> => {
  const waiting: Waiting[] = []
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    ignoreMissing(error)
    return ''
  })
  for (const line of text.split('\n')) {
    const parsed = line === '' ? undefined : parseWaiting(line)
    if (parsed !== undefined) waiting.push(parsed)
  }
  return waiting
}

/** Undefined for the line that was being written when the power went. */
const parseWaiting = (line: string): Waiting | undefined => {
  try {
    const value = JSON.parse(line) as Partial<Waiting> | null
    return typeof value?.event?.id === 'string' ? (value as Waiting) : undefined
  } catch {
    return undefined
  }
}
