import type { Command } from 'commander'
import { alertsCommand } from './commands/alerts.ts'
import { budgetsCommand } from './commands/budgets.ts'
import { demoCommand } from './commands/demo.ts'
import { doctorCommand } from './commands/doctor.ts'
import { driftCommand } from './commands/drift.ts'
import { explainCommand } from './commands/explain.ts'
import { exportCommand } from './commands/export.ts'
import { pricesCommand } from './commands/prices.ts'
import { quoteCommand } from './commands/quote.ts'
import { reportCommand } from './commands/report.ts'
import { repriceCommand } from './commands/reprice.ts'
import { runCommand } from './commands/run.ts'
import { runsCommand } from './commands/runs.ts'
import { serveCommand } from './commands/serve.ts'
import { topCommand } from './commands/top.ts'
import type { Io } from './io.ts'

/** Every command, the default one first. */
export const commands: readonly ((io: Io) => Command)[] = [
  serveCommand,
  demoCommand,
  reportCommand,
  explainCommand,
  runsCommand,
  runCommand,
  topCommand,
  budgetsCommand,
  alertsCommand,
  quoteCommand,
  pricesCommand,
  repriceCommand,
  driftCommand,
  exportCommand,
  doctorCommand,
]
