/** What can go wrong with the metering itself. None of it stops a call. */
export type WarningCode =
  | 'ledger-unreachable'
  | 'event-rejected'
  | 'events-dropped'
  | 'budget-crossed'
  | 'budget-unchecked'
  | 'unpriced-call'
  | 'unmetered-call'
  | 'bad-option'
  | 'metering-failed'

export interface Warning {
  readonly code: WarningCode
  readonly message: string
}

export type Warn = (code: WarningCode, message: string) => void

/**
 * Passes warnings on to the user. With no listener of their own each code is said once, as a warning of the process: an agent's
 * log is no place for a line per call.
 */
export const createWarn = (onWarning: ((warning: Warning) => void) | undefined): Warn => {
  const said = new Set<WarningCode>()
  return (code, message) => {
    try {
      if (onWarning !== undefined) return onWarning({ code, message })
      if (said.has(code)) return
      said.add(code)
      process.emitWarning(message, { type: 'TaximeterWarning', code })
    } catch {
      // A listener that throws is the user's; the call that we were metering is not to suffer from it.
    }
  }
}
