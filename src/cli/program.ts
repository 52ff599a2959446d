import { Command, CommanderError } from 'commander'
import { TaximeterError } from '../core/errors.ts'
import { commands } from './commands.ts'
import type { Io } from './io.ts'
import { printable } from './text-table.ts'
import { version } from './version.ts'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(signal))

const io: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  input: process.stdin,
  environment: process.env,
  now: Date.now,
  isTerminal: process.stdout.isTTY === true,
  stop: stop.signal,
  onReload: (listener) => {
    process.on('SIGHUP', listener)
    return () => process.off('SIGHUP', listener)
  },
  setExitCode: (code) => {
    process.exitCode = code
  },
}

// A reader that has seen enough (`taximeter report | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const program = new Command('taximeter')
  .description('what AI agents cost while they run')
  .version(version)
  .enablePositionalOptions()
  .exitOverride()
for (const [index, command] of commands.entries()) program.addCommand(command(io).exitOverride(), { isDefault: index === 0 })

/** What is no command would be taken for an argument of the default one. */
const refuseUnknown = (name: string | undefined): void => {
  const names = program.commands.map((command) => command.name())
  if (name === undefined || name.startsWith('-') || name === 'help' || names.includes(name)) return
  throw new TaximeterError('BAD_REQUEST', `There is no command "${printable(name)}". Use ${names.join(', ')}.`)
}

try {
  refuseUnknown(process.argv[2])
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode
  else if (error instanceof TaximeterError) {
    io.err(`${error.message}\n`)
    process.exitCode = 1
  } else throw error
}
