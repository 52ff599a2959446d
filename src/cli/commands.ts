import type { Command } from 'commander'
import { quoteCommand } from './commands/quote.ts'
import { reportCommand } from './commands/report.ts'
import type { Io } from './io.ts'

/** Every command, the default one first. */
export const commands: readonly ((io: Io) => Command)[] = [reportCommand, quoteCommand]
