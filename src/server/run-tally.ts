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
  /** Something was heard of it since it was last looked at for letting go. */
  isTouched: boolean
  /** Its figures are in the metrics. */
  isTold: boolean
}

export const unknownValue = 'unknown'

export const createRunTally = ({ runsMax, onChange }: RunTallyOptions): RunTally => {
  const runs = new Map<string, RunState>()

  const stateOf = (run: string): RunState => {
    let state = runs.get(run)
    if (state === undefined) {
      state = { release: undefined, isReleaseTold: false, cost: 0n, budget: undefined, end: undefined, isTouched: false, isTold: false }
      runs.set(run, state)
      if (runs.size > runsMax) letGo(runs)
    }
    state.isTouched = true
    return state
  }

  const change = (state: RunState, apply: () => void): void => {
    const before = state.isTold ? figuresOf(state) : undefined
    apply()
    state.isTold = true
    onChange(before, figuresOf(state))
  }

  const addCall = (entry: CallEntry, amount: bigint): void => {
    const { run, release } = entry.event
    if (run === undefined) return
    const state = stateOf(run)
    const cost = state.cost + amount
    // Nearly every call is of a run that is open and within its budget: it moves no metric of runs yet.
    if (
      state.isTold &&
      state.end === undefined &&
      state.release !== undefined &&
      hasBreached(state, cost) === hasBreached(state, state.cost)
    ) {
      state.cost = cost
      return
    }
    change(state, () => {
      state.cost = cost
      state.release ??= release
    })
  }

  return {
    seed(run) {
      const state = stateOf(run.run)
      change(state, () => {
        state.cost = run.llmCost + run.toolCost
        state.release = run.release
        state.isReleaseTold = run.release !== undefined
        state.budget = run.budget
        if (!run.isOpen) state.end = { at: run.endedAt, status: run.status, stopReason: run.stopReason }
      })
    },
    observe(counted, uncounted) {
      if (uncounted !== undefined) addCall(uncounted, -amountOf(uncounted.charge))
      if (counted !== undefined) addCall(counted, amountOf(counted.charge))
    },
    record(record) {
      const state = stateOf(record.run)
      change(state, () => applyRecord(state, record))
    },
    get size() {
      return runs.size
    },
  }
}

const applyRecord = (state: RunState, record: RunRecord): void => {
  if (record.release !== undefined && (record.phase === 'start' || !state.isReleaseTold)) {
    state.release = record.release
    state.isReleaseTold = true
  }
  state.budget ??= record.budget
  if (record.phase === 'end' && (state.end === undefined || record.at >= state.end.at)) {
    state.end = { at: record.at, status: record.status ?? state.end?.status, stopReason: record.stopReason ?? state.end?.stopReason }
  }
}

/** Lets one run go that nothing was heard of since it was last looked at; the others are looked at again after the newer ones. */
const letGo = (runs: Map<string, RunState>): void => {
  for (const [run, state] of runs) {
    runs.delete(run)
    if (!state.isTouched) return
    state.isTouched = false
    runs.set(run, state)
  }
}

const hasBreached = ({ budget, end }: RunState, cost: bigint): boolean =>
  (budget !== undefined && cost > budget) || end?.stopReason === 'budget_exceeded'

const figuresOf = (state: RunState): RunFigures => ({
  release: state.release ?? unknownValue,
  cost: state.cost,
  status: state.end?.status ?? unknownValue,
  stopReason: state.end?.stopReason ?? unknownValue,
  isEnded: state.end !== undefined,
  hasBreached: hasBreached(state, state.cost),
})
