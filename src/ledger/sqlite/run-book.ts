import { runStatuses, stopReasons } from '../../core/event.ts'
import { two32 } from './block.ts'
import type { Bound, Database, Row } from './database.ts'
import type { Names } from './names.ts'
import { createRunColumns } from './run-columns.ts'
import { slot } from './wire.ts'

/** What is known of a run and where it came from; the names are those of the columns. */
export const runFacts = [
  'agent',
  'session',
  'task',
  'release',
  'environment',
  'team',
  'user',
  'key',
  'parent',
  'budget',
  'status',
  'stop_reason',
] as const
const fact = Object.fromEntries(runFacts.map((name, index) => [name, index])) as Readonly<Record<(typeof runFacts)[number], number>>
/** The places of a run's own attributes among a call's: all but `run` and `step`. */
const attributePlaces = [0, 1, 4, 5, 6, 7, 8, 9]

export const runTotals = [
  'starts',
  'ends',
  'llm_high',
  'llm_low',
  'tool_high',
  'tool_low',
  'cost_high',
  'cost_low',
  'llm_calls',
  'tool_calls',
  'retries',
  'errors',
  'unpriced',
  'prompt_tokens',
  'completion_tokens',
] as const
type Total = (typeof runTotals)[number]

/** Start record before end record before call; then by time, then by id. What an end record says last is what holds. */
interface Origin {
  readonly rank: 0 | 1 | 2
  readonly at: number
  readonly seq: number
}

interface RunState {
  readonly id: number
  isStored: boolean
  /** When it began as it is stored. */
  storedAt: number
  startedAt: number
  endedAt: number
  readonly values: (number | string | null)[]
  readonly origins: (Origin | undefined)[]
  readonly totals: Record<Total, number>
  /** Set when something that only the entries know is to be found again before the run is written. */
  needsTimes: boolean
  needsFacts: boolean
  hasNewFacts: boolean
}

export interface RunBook {
  /** A call came into the totals or left them. */
  call(sign: 1 | -1, run: number, seq: number, numbers: Float64Array, base: number, attributes: Int32Array): void
  record(run: number, seq: number, at: number, told: RecordFacts, attributes: Int32Array): void
  /** Writes what has changed; the entries must have been written before. */
  flush(): void
  forget(): void
}

export interface RecordFacts {
  readonly phase: 'start' | 'end'
  readonly parent: number | null
  readonly budget: string | null
  readonly status: number | null
  readonly stopReason: number | null
}

const statesMax = 5_000

/** The runs' totals, kept in memory for runs that are in progress and written once per transaction. */
export const createRunBook = (database: Database, names: Names): RunBook => {
  const statements = statementsOf(database)
  const columns = createRunColumns(database)
  const states = new Map<number, RunState>()
  const changed = new Set<RunState>()

  const stateOf = (id: number): RunState => {
    let state = states.get(id)
    if (state === undefined) {
      const row = statements.select.get(id)
      state = row === undefined ? newState(id) : storedState(id, row)
      states.set(id, state)
    }
    changed.add(state)
    return state
  }

  const storedState = (id: number, row: Row): RunState => {
    const state = newState(id)
    state.isStored = true
    state.startedAt = state.storedAt = Number(row[0])
    state.endedAt = Number(row[1])
    for (const [index, name] of runTotals.entries()) state.totals[name] = Number(row[2 + index])
    for (const index of runFacts.keys()) state.values[index] = (row[2 + runTotals.length + index] ?? null) as number | string | null
    const seqs = parseOrigins(row[2 + runTotals.length + runFacts.length])
    for (const [index, seq] of seqs.entries()) state.origins[index] = seq === 0 ? undefined : originOf(seq)
    return state
  }

  const originOf = (seq: number): Origin | undefined => {
    const row = statements.origin.get(seq)
    if (row === undefined) return undefined
    return { rank: rankOf(Number(row[1]), row[2]), at: Number(row[0]), seq }
  }

  const isBefore = (left: Origin, right: Origin): boolean => {
    if (left.rank !== right.rank) return left.rank < right.rank
    if (left.at !== right.at) return left.at < right.at
    return Buffer.compare(idOf(left.seq), idOf(right.seq)) < 0
  }

  const idOf = (seq: number): Uint8Array => statements.origin.get(seq)?.[3] as Uint8Array

  const offer = (state: RunState, index: number, value: number | string | null, origin: Origin): void => {
    if (value === null || value === 0) return
    const known = state.origins[index]
    const isLatest = index === fact.status || index === fact.stop_reason
    if (known !== undefined && isBefore(origin, known) === isLatest) return
    state.values[index] = value
    state.origins[index] = origin
    state.hasNewFacts = true
  }

  const touch = (state: RunState, at: number): void => {
    if (at < state.startedAt) state.startedAt = at
    if (at > state.endedAt) state.endedAt = at
  }

  const findTimes = (state: RunState): void => {
    state.startedAt = Number((statements.firstNear.get(state.startedAt, state.id) ?? statements.first.get(state.id))?.[0])
    state.endedAt = Number((statements.lastNear.get(state.endedAt, state.id) ?? statements.last.get(state.id))?.[0])
    state.needsTimes = false
  }

  /** Reads a run's entries again: the one that told something of it is no longer counted. */
  const findFacts = (state: RunState): void => {
    state.values.fill(null)
    state.origins.fill(undefined)
    for (const row of statements.facts.iterate(state.id)) {
      const [seq, at, kind, extra] = row
      const origin = { rank: rankOf(Number(kind), extra), at: Number(at), seq: Number(seq) } as const
      for (const index of attributePlaces.keys()) offer(state, index, (row[4 + index] ?? null) as number | null, origin)
      if (kind === 2) offerRecord(state, parseRecord(extra, names.idOf), origin)
    }
    state.hasNewFacts = true
    state.needsFacts = false
  }

  const offerRecord = (state: RunState, told: RecordFacts, origin: Origin): void => {
    offer(state, fact.parent, told.parent, origin)
    offer(state, fact.budget, told.budget, origin)
    if (told.phase !== 'end') return
    offer(state, fact.status, told.status, origin)
    offer(state, fact.stop_reason, told.stopReason, origin)
  }

  const write = (state: RunState): void => {
    const { totals } = state
    if (state.isStored) columns.touch(state.storedAt, state.endedAt)
    if (totals.llm_calls + totals.tool_calls + totals.starts + totals.ends === 0) {
      if (state.isStored) statements.remove.run(state.id)
      states.delete(state.id)
      return
    }
    if (state.needsTimes) findTimes(state)
    if (state.needsFacts) findFacts(state)
    settle(totals)
    const sums = runTotals.map((name) => totals[name])
    if (state.isStored && !state.hasNewFacts) statements.updateTotals.run(state.endedAt, ...sums, state.id)
    else {
      const facts: Bound[] = [...state.values, formatOrigins(state.origins)]
      if (state.isStored) statements.update.run(state.startedAt, state.endedAt, ...sums, ...facts, state.id)
      else statements.insert.run(state.startedAt, state.endedAt, ...sums, ...facts, state.id)
    }
    if (state.storedAt !== state.startedAt) columns.touch(state.startedAt, state.endedAt)
    state.isStored = true
    state.storedAt = state.startedAt
    state.hasNewFacts = false
  }

  return {
    call(sign, run, seq, numbers, base, attributes) {
      const state = stateOf(run)
      addTotals(state.totals, sign, numbers, base)
      const at = numbers[base + slot.at] as number
      if (sign === 1) {
        if (at < state.startedAt) state.hasNewFacts = true
        touch(state, at)
        const origin = { rank: 2, at, seq } as const
        for (const [index, place] of attributePlaces.entries()) offer(state, index, attributes[place] as number, origin)
      } else {
        if (at <= state.startedAt || at >= state.endedAt) state.needsTimes = state.hasNewFacts = true
        if (state.origins.some((origin) => origin?.seq === seq)) state.needsFacts = true
      }
    },
    record(run, seq, at, told, attributes) {
      const state = stateOf(run)
      const origin = { rank: told.phase === 'start' ? 0 : 1, at, seq } as const
      if (at < state.startedAt) state.hasNewFacts = true
      touch(state, at)
      if (told.phase === 'start') state.totals.starts += 1
      else state.totals.ends += 1
      for (const [index, place] of attributePlaces.entries()) offer(state, index, attributes[place] as number, origin)
      offerRecord(state, told, origin)
    },
    flush() {
      for (const state of changed) write(state)
      changed.clear()
      columns.flush()
      if (states.size > statesMax) states.clear()
    },
    forget() {
      states.clear()
      changed.clear()
      columns.forget()
    },
  }
}

const near = (from: string): string => `SELECT at, run, counted FROM entries INDEXED BY entries_at WHERE at ${from} LIMIT 1000`

const statementsOf = (database: Database) => {
  const written = ['started_at', 'ended_at', ...runTotals, ...runFacts, 'origins']
  const named = (columns: readonly string[]) => columns.map((name) => `${name} = ?`).join(', ')
  const attributes = ['agent', 'session', 'task', 'release', 'environment', 'team', 'user', 'key']
  return {
    select: database.prepare(`SELECT ${written.join(', ')} FROM runs WHERE id = ?`),
    insert: database.prepare(`INSERT INTO runs (${written.join(', ')}, id) VALUES (${written.map(() => '?').join(', ')}, ?)`),
    update: database.prepare(`UPDATE runs SET ${named(written)} WHERE id = ?`),
    // Does not name the columns of the indexes, so that those are left alone.
    updateTotals: database.prepare(`UPDATE runs SET ${named(['ended_at', ...runTotals])} WHERE id = ?`),
    remove: database.prepare('DELETE FROM runs WHERE id = ?'),
    origin: database.prepare('SELECT at, kind, extra, id FROM entries WHERE seq = ?'),
    // The run's next entry lies nearly always among the next thousand of all runs; otherwise all of the run's are read.
    firstNear: database.prepare(`SELECT at FROM (${near('>= ? ORDER BY at')}) WHERE run = ? AND counted = 1 LIMIT 1`),
    lastNear: database.prepare(`SELECT at FROM (${near('<= ? ORDER BY at DESC')}) WHERE run = ? AND counted = 1 LIMIT 1`),
    first: database.prepare('SELECT min(at) FROM entries WHERE run = ? AND counted = 1'),
    last: database.prepare('SELECT max(at) FROM entries WHERE run = ? AND counted = 1'),
    facts: database.prepare(
      `SELECT seq, at, kind, extra, ${attributes.join(', ')} FROM entries WHERE run = ? AND counted = 1 ORDER BY at, id`,
    ),
  }
}

const newState = (id: number): RunState => ({
  id,
  isStored: false,
  storedAt: Number.POSITIVE_INFINITY,
  startedAt: Number.POSITIVE_INFINITY,
  endedAt: Number.NEGATIVE_INFINITY,
  values: runFacts.map(() => null),
  origins: runFacts.map(() => undefined),
  totals: Object.fromEntries(runTotals.map((name) => [name, 0])) as Record<Total, number>,
  needsTimes: false,
  needsFacts: false,
  hasNewFacts: false,
})

const addTotals = (totals: Record<Total, number>, sign: 1 | -1, numbers: Float64Array, base: number): void => {
  const low = sign * (numbers[base + slot.costLow] as number)
  const high = sign * (numbers[base + slot.costHigh] as number)
  totals.cost_low += low
  totals.cost_high += high
  if (numbers[base + slot.kind] === 0) {
    totals.llm_low += low
    totals.llm_high += high
    totals.llm_calls += sign
    totals.prompt_tokens += sign * (numbers[base + slot.prompt] as number)
    totals.completion_tokens += sign * (numbers[base + slot.completion] as number)
  } else {
    totals.tool_low += low
    totals.tool_high += high
    totals.tool_calls += sign
  }
  if ((numbers[base + slot.attempt] as number) > 0) totals.retries += sign
  if (numbers[base + slot.status] === 1) totals.errors += sign
  if (numbers[base + slot.basis] === 4) totals.unpriced += sign
}

/** Brings the low parts of money back below 2³². */
const settle = (totals: Record<Total, number>): void => {
  for (const [low, high] of [
    ['llm_low', 'llm_high'],
    ['tool_low', 'tool_high'],
    ['cost_low', 'cost_high'],
  ] as const) {
    const over = Math.floor(totals[low] / two32)
    totals[low] -= over * two32
    totals[high] += over
  }
}

const rankOf = (kind: number, extra: unknown): Origin['rank'] => {
  if (kind !== 2) return 2
  return (JSON.parse(String(extra)) as { phase: string }).phase === 'start' ? 0 : 1
}

/** The text that a run record keeps beside its columns. */
export const parseRecord = (extra: unknown, nameOf: (text: string) => number): RecordFacts => {
  const told = JSON.parse(String(extra)) as {
    phase: 'start' | 'end'
    parent?: string
    status?: string
    stopReason?: string
    budget?: string
  }
  return {
    phase: told.phase,
    parent: told.parent === undefined ? null : nameOf(told.parent),
    budget: told.budget ?? null,
    status: placeIn(runStatuses, told.status),
    stopReason: placeIn(stopReasons, told.stopReason),
  }
}

/** Places from 1 on, because 0 stands for "none". */
const placeIn = (list: readonly string[], value: string | undefined): number | null =>
  value === undefined ? null : list.indexOf(value) + 1

/** Which entry each fact came from, where an entry that is the same as for the fact before is left out: "12,,,,,,,,,,15,". */
const formatOrigins = (origins: readonly (Origin | undefined)[]): string | null => {
  let before = 0
  const texts = origins.map((origin) => {
    const seq = origin?.seq ?? 0
    const text = seq === before ? '' : String(seq)
    before = seq
    return text
  })
  return texts.every((text) => text === '') ? null : texts.join(',')
}

const parseOrigins = (text: unknown): readonly number[] => {
  if (typeof text !== 'string') return []
  let seq = 0
  return text.split(',').map((part) => (seq = part === '' ? seq : Number(part)))
}
