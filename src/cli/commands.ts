import type { Command } from 'commander'
import { exportCommand } from './commands/export.ts'
import { quoteCommand } from './commands/quote.ts'
import { reportCommand } from './commands/report.ts'
import { repriceCommand } from './commands/reprice.ts'
import { runCommand } from './commands/run.ts'
import { runsCommand } from './commands/runs.ts'
import type { Io } from './io.ts'

/** Every command, the default one first. */
export const commands: readonly ((io: Io) => Command)[] = [
  reportCommand,
  runsCommand,
  runCommand,
  quoteCommand,
  repriceCommand,
  exportCommand,
]
