import { accepts, callValue, isOfRun, slicesOf } from '../../core/attribute-values.ts'
import { attributeNames } from '../../core/attribution.ts'
import { type CallEntry, runStatuses, stopReasons } from '../../core/event.ts'
import { picoUsd } from '../../core/money.ts'
import type { Filter } from '../../core/question.ts'
import { limitOf, listCursor, parseListCursor } from '../pages.ts'
import { type Page, pageLimitMax, type RunDetail, type RunFilter, type RunPage, type RunSummary, runCallsMax } from '../store.ts'
import { createLocalTexts, createValues } from './axes.ts'
import { two32 } from './block.ts'
import type { Database, Row } from './database.ts'
import type { Names } from './names.ts'
import { type KeptEntry, selectEntries } from './rows.ts'
import { conditionOf, entryColumnOf, runColumnOf } from './sql-filter.ts'

const attributes = attributeNames.filter((name) => name !== 'run' && name !== 'step')
const numbers = ['llm_calls', 'tool_calls', 'retries', 'errors', 'unpriced', 'llm_low', 'llm_high', 'tool_low', 'tool_high'] as const
const columns = [
  'r.id',
  'n.text',
  'r.started_at',
  'r.ended_at',
  'r.ends',
  'r.parent',
  'r.status',
  'r.stop_reason',
  'r.budget',
  // As doubles: past 2⁵³ an integer could not be read.
  'r.prompt_tokens + 0.0',
  'r.completion_tokens + 0.0',
  ...numbers.map((name) => `r.${name}`),
  ...attributes.map((name) => `r.${name}`),
]
const selectRuns = `SELECT ${columns.join(', ')} FROM runs AS r JOIN names AS n ON n.id = r.id`

/** What runs are sorted by; money in two parts, so that no order is lost past 2⁵³. */
const ranks: Readonly<Record<RunFilter['sort'], readonly string[]>> = {
  newest: ['r.started_at'],
  oldest: ['-r.started_at'],
  costliest: ['r.cost_high', 'r.cost_low'],
  longest: ['r.ended_at - r.started_at'],
  tokens: ['r.prompt_tokens + r.completion_tokens + 0.0'],
}

/** Pages of runs, and one run whole. */
export const createRunPages = (database: Database, names: Names, readRow: (row: Row) => KeptEntry) => {
  const values = createValues(names, createLocalTexts())
  const byId = database.prepare(`${selectRuns} WHERE r.id = ?`)
  const children = database.prepare(`${selectRuns} WHERE r.parent = ? ORDER BY r.started_at, n.text LIMIT ${pageLimitMax}`)
  const calls = database.prepare(
    `${selectEntries} WHERE e.run = ? AND e.counted = 1 AND e.kind < 2 ORDER BY e.at, e.id LIMIT ${runCallsMax + 1}`,
  )

  const summaryOf = (row: Row): RunSummary => {
    const at = (name: string): number => Number(row[columns.indexOf(name)])
    const known = Object.fromEntries(
      attributes.flatMap((name) => {
        const id = row[columns.indexOf(`r.${name}`)]
        return typeof id === 'number' ? [[name, names.textOf(id)]] : []
      }),
    )
    const [, run, startedAt, endedAt, ends, parent, status, stopReason, budget] = row
    return {
      ...known,
      run: String(run),
      ...(parent !== null && { parent: names.textOf(Number(parent)) }),
      startedAt: Number(startedAt),
      endedAt: Number(endedAt),
      isOpen: ends === 0,
      ...(typeof status === 'number' && { status: runStatuses[status - 1] ?? 'error' }),
      ...(typeof stopReason === 'number' && { stopReason: stopReasons[stopReason - 1] ?? 'step_error' }),
      ...(budget !== null && { budget: picoUsd(BigInt(String(budget))) }),
      llmCost: picoUsd(moneyOf(at('r.llm_high'), at('r.llm_low'))),
      toolCost: picoUsd(moneyOf(at('r.tool_high'), at('r.tool_low'))),
      llmCalls: at('r.llm_calls'),
      toolCalls: at('r.tool_calls'),
      retries: at('r.retries'),
      errors: at('r.errors'),
      promptTokens: at('r.prompt_tokens + 0.0'),
      completionTokens: at('r.completion_tokens + 0.0'),
      unpricedCalls: at('r.unpriced'),
    }
  }

  /** A run's own attribute is a column; an attribute of its calls asks whether it has such a call. */
  const conditionsOf = (where: readonly Filter[]): readonly string[] => {
    const own = where.filter(({ by }) => isOfRun(by)).map((filter) => conditionOf(`r.${runColumnOf(filter.by)}`, filter, values))
    const inside = where.flatMap((filter) => {
      const column = isOfRun(filter.by) ? undefined : entryColumnOf(filter.by)
      return column === undefined ? [] : [conditionOf(`e.${column}`, filter, values)]
    })
    if (inside.length === 0) return own
    return [...own, `EXISTS (SELECT 1 FROM entries AS e WHERE e.run = r.id AND e.counted = 1 AND e.kind < 2 AND ${inside.join(' AND ')})`]
  }

  /** Units and tags are no columns: where they are asked for, the calls of each run that comes into question are read. */
  const hasCall = (run: number, where: readonly Filter[]): boolean => {
    for (const row of calls.iterate(run)) {
      const entry = readRow(row).entry as CallEntry
      const passes = (filter: Filter): boolean =>
        filter.by === 'unit'
          ? slicesOf(entry).some(({ unit }) => accepts(filter, unit))
          : accepts(filter, callValue(entry, filter.by, undefined))
      if (where.every(passes)) return true
    }
    return false
  }

  return {
    page(filter: RunFilter, page: Page): RunPage {
      const rank = ranks[filter.sort]
      const where = ['r.started_at >= ?', 'r.started_at < ?', ...conditionsOf(filter.where)]
      const bound: (number | string)[] = [filter.from, filter.to]
      if (page.after !== undefined) {
        const after = parseListCursor(page.after)
        const values = rank.length === 1 ? [Number(after.rank)] : [Number(after.rank >> 32n), Number(BigInt.asUintN(32, after.rank))]
        const [columns, places] = [rank.join(', '), rank.map(() => '?').join(', ')]
        where.push(`((${columns}) < (${places}) OR ((${columns}) = (${places}) AND n.text > ?))`)
        bound.push(...values, ...values, after.name)
      }
      const limit = limitOf(page)
      const sql = `${selectRuns.replace('SELECT ', `SELECT ${rank.join(', ')}, `)} WHERE ${where.join(' AND ')} ORDER BY ${rank.map((column) => `${column} DESC`).join(', ')}, n.text`
      const inside = filter.where.filter(({ by }) => !isOfRun(by))
      const needsCalls = inside.some(({ by }) => entryColumnOf(by) === undefined)
      const rows: Row[] = []
      for (const row of database.prepare(needsCalls ? sql : `${sql} LIMIT ${limit + 1}`).iterate(...bound)) {
        if (needsCalls && !hasCall(Number(row[rank.length]), inside)) continue
        rows.push(row)
        if (rows.length > limit) break
      }
      const last = rows.length > limit ? rows[limit - 1] : undefined
      return {
        runs: rows.slice(0, limit).map((row) => summaryOf(row.slice(rank.length))),
        ...(last !== undefined && { next: cursorOf(last, rank.length) }),
      }
    },
    detail(run: string): RunDetail | undefined {
      const id = names.find(run)
      const row = id === undefined ? undefined : byId.get(id)
      if (id === undefined || row === undefined) return undefined
      const found = calls.all(id).map((call) => readRow(call).entry)
      return {
        summary: summaryOf(row),
        calls: found
          .slice(0, runCallsMax)
          .flatMap((entry) => (entry.charge === undefined ? [] : [{ call: entry.event, charge: entry.charge }])),
        hasMore: found.length > runCallsMax,
        children: children.all(id).map(summaryOf),
      }
    },
  }
}

const moneyOf = (high: number, low: number): bigint => BigInt(high) * BigInt(two32) + BigInt(low)

const cursorOf = (row: Row, width: number): string => {
  const rank = width === 1 ? BigInt(Number(row[0])) : moneyOf(Number(row[0]), Number(row[1]))
  return listCursor(rank, String(row[width + 1]))
}
