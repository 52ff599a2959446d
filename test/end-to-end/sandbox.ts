import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'

/** A folder of its own with the command line in it, as a user has it: real processes, real files, real sockets. */
export interface Sandbox extends AsyncDisposable {
  readonly folder: string
  path(name: string): string
  /** Writes taximeter.yaml. */
  configure(yaml: string): void
  /** Starts `taximeter serve` on a free port and waits until it says where it listens. */
  serve(options?: StartOptions): Promise<Serving>
  /** Runs the command line to its end. */
  taximeter(argv: readonly string[], options?: StartOptions & { readonly input?: string }): Promise<Finished>
  start(argv: readonly string[], options?: StartOptions): ChildProcess
  /** Plain SQL on the ledger, from outside. */
  rows(sql: string, data?: string): readonly Record<string, SQLOutputValue>[]
}

export interface StartOptions {
  readonly argv?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly spawn?: Pick<SpawnOptions, 'uid' | 'gid'>
}

export interface Serving {
  /** Without a slash at its end. */
  readonly url: string
  readonly pid: number
  readonly ended: Promise<number | null>
  /** What it wrote to standard error. */
  log(): string
  /** Ends it with the signal, and waits until it is gone. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export const mainFile = join(import.meta.dirname, '../../src/cli/main.ts')
export const dataFile = 'taximeter.db'

/** A second start need not read the sources anew: some forty processes are started here. */
const compileCache = join(tmpdir(), 'taximeter-test-compile-cache')

export const openSandbox = (): Sandbox => {
  const folder = mkdtempSync(join(tmpdir(), 'taximeter-end-to-end-'))
  const children = new Set<ChildProcess>()
  const path = (name: string): string => join(folder, name)

  const start: Sandbox['start'] = (argv, { environment = {}, spawn: more = {} } = {}) => {
    const env = { ...process.env, NODE_COMPILE_CACHE: compileCache, ...environment }
    const child = spawn(process.execPath, [mainFile, ...argv], { ...more, cwd: folder, env })
    children.add(child)
    child.once('close', () => children.delete(child))
    return child
  }

  return {
    folder,
    path,
    configure: (yaml) => writeFileSync(path('taximeter.yaml'), yaml),
    start,
    serve: ({ argv = [], ...options } = {}) => serving(start(['serve', '--port', '0', ...argv], options)),
    taximeter: (argv, { input = '', ...options } = {}) => finished(start(argv, options), input),
    rows(sql, data = dataFile) {
      const database = new DatabaseSync(path(data), { readOnly: true })
      try {
        return database.prepare(sql).all()
      } finally {
        database.close()
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...children].map((child) => ended(child, 'SIGKILL')))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const ended = (child: ChildProcess, signal: NodeJS.Signals): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('close', () => resolve())
    child.kill(signal)
  })

const finished = (child: ChildProcess, input: string): Promise<Finished> =>
  new Promise((resolve, reject) => {
    let out = ''
    let err = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk
    })
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      err += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
    // A program that has ended before it read everything says so by its exit code.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })

const serving = (child: ChildProcess): Promise<Serving> =>
  new Promise((resolve, reject) => {
    let out = ''
    let err = ''
    const gone = new Promise<number | null>((done) => child.once('close', done))
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      err += chunk
    })
    child.on('error', reject)
    gone.then((code) => reject(new Error(`The server ended with ${code}: ${err}`)))
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk
      const url = /listens on (\S+)/.exec(out)?.[1]
      if (url === undefined) return
      resolve({
        url,
        pid: child.pid ?? 0,
        ended: gone,
        log: () => err,
        stop: (signal = 'SIGTERM') => {
          child.kill(signal)
          return gone
        },
      })
    })
  })
