import { attributeNames } from '../../core/attribution.ts'
import type { Breakdown, Filter } from '../../core/question.ts'
import type { Values } from './axes.ts'

const entryFilters: ReadonlySet<string> = new Set([...attributeNames, 'kind', 'status', 'basis', 'source', 'provider', 'model', 'tool'])

const runColumns: Readonly<Partial<Record<string, string>>> = {
  agent: 'agent',
  session: 'session',
  run: 'id',
  task: 'task',
  release: 'release',
  environment: 'environment',
  team: 'team',
  user: 'user',
  key: 'key',
  stopReason: 'stop_reason',
  runStatus: 'status',
}

/** The column of `entries` that a breakdown is; undefined where it is none. */
export const entryColumnOf = (by: Breakdown): string | undefined => (entryFilters.has(by) ? by : undefined)

/** The column of `runs`. */
export const runColumnOf = (by: Breakdown): string | undefined => runColumns[by]

/**
 * A filter as a condition on a column. Only numbers are ever written into it: what a filter names was looked up before, so that
 * nothing a caller wrote is part of a statement.
 */
export const conditionOf = (column: string, filter: Filter, values: Values): string => {
  const numbers = filter.values.filter((value) => value !== null).map((value) => values.numberOf(filter.by, value))
  const list = numbers.length === 0 ? undefined : `${column} IN (${numbers.join(', ')})`
  const hasNone = filter.values.includes(null)
  if (!filter.isNot)
    return `(${[list, hasNone ? `${column} IS NULL` : undefined].filter((part) => part !== undefined).join(' OR ') || '0'})`
  const outside = list === undefined ? undefined : `${column} NOT IN (${numbers.join(', ')})`
  if (hasNone) return `(${[`${column} IS NOT NULL`, outside].filter((part) => part !== undefined).join(' AND ')})`
  return outside === undefined ? '1' : `(${column} IS NULL OR ${outside})`
}
