import { type Logger, pino } from 'pino'
import type { Config } from '../config/settings.ts'

/**
 * The program's log: JSON lines on standard error. What could hold a secret is never handed to it; the paths below are a second
 * fence, for the objects that other libraries throw.
 */
export const createLog = (level: Config['logLevel'], write: (line: string) => void): Logger =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ['*.headers', '*.authorization', '*.key', '*.apiKey', '*.secret', '*.password'], censor: '…' },
    },
    { write },
  )
