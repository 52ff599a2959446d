import { amountOf } from '../core/charge.ts'
import type { CallEntry, RunRecord, RunStatus, StopReason } from '../core/event.ts'
import type { RunSummary } from '../ledger/store.ts'

/** What an ended run adds to the metrics of runs. */
export interface RunFigures {
  readonly release: string
  readonly cost: bigint
  readonly status: string
  readonly stopReason: string
  readonly isEnded: boolean
  readonly hasBreached: boolean
}

export interface RunTallyOptions {
  /** Runs whose calls may still come; past this the ones untouched for longest are let go, as they were counted last. */
  readonly runsMax: number
  /** A run's figures were `before` (undefined: not known) and are `after`. */
  readonly onChange: (before: RunFigures | undefined, after: RunFigures) => void
}

/** Follows runs by their records and calls, in whichever order these come. */
export interface RunTally {
  seed(run: RunSummary): void
  observe(counted: CallEntry | undefined, uncounted: CallEntry | undefined): void
  record(record: RunRecord): void
  readonly size: number
}

interface RunState {
  release: string | undefined
  /** The start record's word on the release is final. */
  isReleaseTold: boolean
  cost: bigint
  budget: bigint | undefined
  end: { readonly at: number; readonly status: RunStatus | undefined; readonly stopReason: StopReason | undefined } | undefined
}

export const unknownValue = 'unknown'

export const createRunTally = ({ runsMax, onChange }: RunTallyOptions): RunTally => {
  const runs = new Map<string, RunState>()

  const change = (run: string, apply: (state: RunState) => void): void => {
    let state = runs.get(run)
    const before = state && figuresOf(state)
    if (state === undefined) state = { release: undefined, isReleaseTold: false, cost: 0n, budget: undefined, end: undefined }
    // Put back at the end: a map keeps its keys in the order in which they were set.
    else runs.delete(run)
    runs.set(run, state)
    apply(state)
    onChange(before, figuresOf(state))
    const oldest = runs.keys().next().value
    if (runs.size > runsMax && oldest !== undefined) runs.delete(oldest)
  }

  const addCall = (entry: CallEntry | undefined, sign: 1n | -1n): void => {
    const run = entry?.event.run
    if (entry === undefined || run === undefined) return
    change(run, (state) => {
      state.cost += sign * amountOf(entry.charge)
      state.release ??= entry.event.release
    })
  }

  return {
    seed(run) {
      change(run.run, (state) => {
        state.cost = run.llmCost + run.toolCost
        state.release = run.release
        state.isReleaseTold = run.release !== undefined
        state.budget = run.budget
        if (!run.isOpen) state.end = { at: run.endedAt, status: run.status, stopReason: run.stopReason }
      })
    },
    observe(counted, uncounted) {
      addCall(uncounted, -1n)
      addCall(counted, 1n)
    },
    record(record) {
      change(record.run, (state) => {
        if (record.release !== undefined && (record.phase === 'start' || !state.isReleaseTold)) {
          state.release = record.release
          state.isReleaseTold = true
        }
        state.budget ??= record.budget
        if (record.phase === 'end' && (state.end === undefined || record.at >= state.end.at)) {
          state.end = {
            at: record.at,
            status: record.status ?? state.end?.status,
            stopReason: record.stopReason ?? state.end?.stopReason,
          }
        }
      })
    },
    get size() {
      return runs.size
    },
  }
}

const figuresOf = ({ release, cost, budget, end }: RunState): RunFigures => ({
  release: release ?? unknownValue,
  cost,
  status: end?.status ?? unknownValue,
  stopReason: end?.stopReason ?? unknownValue,
  isEnded: end !== undefined,
  hasBreached: (budget !== undefined && cost > budget) || end?.stopReason === 'budget_exceeded',
})
