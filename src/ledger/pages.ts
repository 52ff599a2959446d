import { TaximeterError } from '../core/errors.ts'
import type { CallEntry } from '../core/event.ts'
import type { ListOrder } from '../core/question.ts'
import { type EntryPage, type Page, pageLimitMax, type RunSummary } from './store.ts'

/** What is listed: its name, and what it is ranked by. */
export interface Listed<Item> {
  readonly item: Item
  readonly name: string
  readonly rank: bigint
}

/** One page of a list: from the largest rank, ties by name, so that a page can go on where another ended. */
export const listPage = <Item>(
  listed: readonly Listed<Item>[],
  page: Page,
): { readonly items: readonly Item[]; readonly next?: string } => {
  const ranked = [...listed].sort((left, right) =>
    left.rank === right.rank ? (left.name < right.name ? -1 : 1) : left.rank < right.rank ? 1 : -1,
  )
  let start = 0
  if (page.after !== undefined) {
    const { rank, name } = parseListCursor(page.after)
    const next = ranked.findIndex((each) => each.rank < rank || (each.rank === rank && each.name > name))
    start = next === -1 ? ranked.length : next
  }
  const shown = ranked.slice(start, start + limitOf(page))
  const last = shown.at(-1)
  return {
    items: shown.map(({ item }) => item),
    ...(last !== undefined && start + shown.length < ranked.length && { next: listCursor(last.rank, last.name) }),
  }
}

export const rankOfRun = (run: RunSummary, sort: ListOrder): bigint => {
  switch (sort) {
    case 'costliest':
      return run.llmCost + run.toolCost
    case 'tokens':
      return BigInt(run.promptTokens + run.completionTokens)
    default:
      return rankOfTimes(run, sort)
  }
}

export const rankOfTimes = (
  { startedAt, endedAt }: { readonly startedAt: number; readonly endedAt: number },
  sort: Exclude<ListOrder, 'costliest' | 'tokens'>,
): bigint => BigInt(sort === 'newest' ? startedAt : sort === 'oldest' ? -startedAt : endedAt - startedAt)

/** The last one of the page before. */
export const listCursor = (rank: bigint, name: string): string => `${rank}:${name}`

export const parseListCursor = (cursor: string): { readonly rank: bigint; readonly name: string } => {
  const match = /^(-?\d{1,40}):(.*)$/s.exec(cursor)
  if (match === null) throw notACursor(cursor)
  return { rank: BigInt(match[1] ?? 0), name: match[2] ?? '' }
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
