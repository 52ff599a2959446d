import type { Intake } from '../intake/intake.ts'
import type { Store } from '../ledger/store.ts'
import type { Family } from './metric-family.ts'
import type { MetricName } from './metric-list.ts'
import type { RunTally } from './run-tally.ts'
import { agrees, applyStanding, readCoverage, readRuns, readStanding } from './standing.ts'

export interface KeepUpOptions {
  readonly store: Pick<Store, 'ask' | 'runs' | 'head'>
  readonly intake: Pick<Intake, 'counters'>
  readonly family: (name: MetricName) => Family
  readonly runs: RunTally
  readonly now: () => number
  /** How often anything was counted here: what is read while this moves is out of date when it comes. */
  readonly moves: () => number
  /** The ledger's head when the tallies were begun. */
  readonly head: string
}

/** Runs that are read again when others have written: the newest are the ones that still change. */
const runsReadMax = 2_000
const triesMax = 3

/**
 * Brings the tallies up to what others wrote into the same ledger: an agent with an embedded ledger, a correction from the
 * command line. Called before a scrape; costs one small question when the ledger has moved, and nothing when it has not.
 */
export const createKeepUp = ({ store, intake, family, runs, now, moves, head: first }: KeepUpOptions): (() => Promise<void>) => {
  let seen = first
  return async () => {
    for (let tries = 0; tries < triesMax; tries += 1) {
      const head = await store.head()
      if (head === seen) return
      const before = moves()
      const coverage = await readCoverage(store, now())
      if (moves() !== before || intake.counters().inFlight > 0) continue
      if (!agrees(coverage, family)) {
        const [standing, newest] = [await readStanding(store, now()), await readRuns(store, now(), runsReadMax)]
        // Something of our own came meanwhile, which these answers may or may not hold.
        if (moves() !== before || intake.counters().inFlight > 0) continue
        applyStanding(standing, family)
        for (const run of newest) runs.seed(run)
      }
      seen = head
      return
    }
  }
}
