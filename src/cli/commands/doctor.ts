import { Command } from 'commander'
import { type Check, checksOf } from '../doctor/checks.ts'
import { factsOf } from '../doctor/facts.ts'
import { selfCheck, selfCheckText } from '../doctor/self-check.ts'
import { type ConfigOptions, configOf, type Io } from '../io.ts'
import { printable, textTable } from '../text-table.ts'

/** `taximeter doctor`: what runs here and from where, whether it is in order, and one call through the whole path. Exit code 1 if a check fails. */
export const doctorCommand = (io: Io): Command =>
  new Command('doctor')
    .description('versions, paths and configuration, checked; then one call through the whole path')
    .option('--config <file>', 'configuration file')
    .option('--data <file>', "the ledger's file")
    .option('--json', 'as JSON')
    .action(async (options: ConfigOptions & { readonly json?: true }) => {
      const loaded = configOf(io, options)
      const facts = await factsOf(loaded)
      const checks = await checksOf(loaded, io)
      // A ledger that cannot be opened is one of the checks already; it must not hide the others.
      const watched = await selfCheck(loaded, io).catch(() => undefined)
      if (checks.some(({ outcome }) => outcome === 'failed')) io.setExitCode(1)
      if (options.json) {
        io.out(`${JSON.stringify({ facts, checks, selfCheck: watched }, undefined, 2)}\n`)
        return
      }
      io.out(`${textTable([{ title: 'what' }, { title: 'is' }], Object.entries(facts), { cellCharsMax: 120 })}\n\n`)
      for (const check of checks) io.out(`${line(check)}\n`)
      if (watched !== undefined) io.out(`\nHow this project watches its costs\n${selfCheckText(watched)}\n`)
    })

const marks = { ok: '✓', warning: '!', failed: '✗' } as const

const line = ({ outcome, name, says }: Check): string => `${marks[outcome]} ${name}: ${printable(says, 400)}`
