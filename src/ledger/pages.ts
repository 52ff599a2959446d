import { TaximeterError } from '../core/errors.ts'
import type { CallEntry } from '../core/event.ts'
import { type EntryPage, type Page, pageLimitMax, type RunFilter, type RunPage, type RunSummary } from './store.ts'

/** One page of runs: from the largest of what they are sorted by, ties by name, so that a page can go on where another ended. */
export const sortedRuns = (runs: readonly RunSummary[], sort: RunFilter['sort'], page: Page): RunPage => {
  const ranked = runs
    .map((summary) => ({ summary, rank: rankOf(summary, sort) }))
    .sort((left, right) => (left.rank === right.rank ? (left.summary.run < right.summary.run ? -1 : 1) : left.rank < right.rank ? 1 : -1))
  let start = 0
  if (page.after !== undefined) {
    const { rank, run } = parseRunCursor(page.after)
    const next = ranked.findIndex((item) => item.rank < rank || (item.rank === rank && item.summary.run > run))
    start = next === -1 ? ranked.length : next
  }
  const shown = ranked.slice(start, start + limitOf(page))
  const last = shown.at(-1)
  return {
    runs: shown.map(({ summary }) => summary),
    ...(last !== undefined && start + shown.length < ranked.length && { next: `${last.rank}:${last.summary.run}` }),
  }
}

const rankOf = (run: RunSummary, sort: RunFilter['sort']): bigint => {
  switch (sort) {
    case 'newest':
      return BigInt(run.startedAt)
    case 'costliest':
      return run.llmCost + run.toolCost
    case 'longest':
      return BigInt(run.endedAt - run.startedAt)
    case 'tokens':
      return BigInt(run.promptTokens + run.completionTokens)
    default:
      return sort satisfies never
  }
}

/** `rank:run`, the last one of the page before. */
export const parseRunCursor = (cursor: string): { readonly rank: bigint; readonly run: string } => {
  const match = /^(-?\d{1,40}):(.*)$/s.exec(cursor)
  if (match === null) throw notACursor(cursor)
  return { rank: BigInt(match[1] ?? 0), run: match[2] ?? '' }
}

export const afterCursor = (entries: readonly CallEntry[], page: Page): EntryPage => {
  let start = 0
  if (page.after !== undefined) {
    const { at, id } = parseEntryCursor(page.after)
    const next = entries.findIndex(({ event }) => event.at > at || (event.at === at && event.id > id))
    start = next === -1 ? entries.length : next
  }
  const shown = entries.slice(start, start + limitOf(page))
  const last = shown.at(-1)?.event
  return { entries: shown, ...(last !== undefined && start + shown.length < entries.length && { next: `${last.at}:${last.id}` }) }
}

/** `at:id`, the last one of the page before. */
export const parseEntryCursor = (cursor: string): { readonly at: number; readonly id: string } => {
  const match = /^(\d{1,16}):([0-9a-f-]{36})$/.exec(cursor)
  if (match === null) throw notACursor(cursor)
  return { at: Number(match[1]), id: match[2] ?? '' }
}

export const limitOf = (page: Page): number => Math.max(1, Math.min(pageLimitMax, Math.floor(page.limit)))

const notACursor = (cursor: string) =>
  new TaximeterError('BAD_REQUEST', `"${cursor.slice(0, 60)}" is not where a page of this ledger ended. Leave "after" out to start again.`)
