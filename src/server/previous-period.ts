import type { Answer, AnswerRow } from '../core/answer.ts'
import { TaximeterError } from '../core/errors.ts'
import { type Filter, parseFilter, parseQuestion, type Question } from '../core/question.ts'
import { nextStart, startOf } from '../core/window.ts'

const stepsMax = 400

/**
 * The same question put to the period just before.
 *
 * A period of whole months is compared with as many months, one of whole days with as many days, both as the question's zone
 * cuts them: the week with the change of clocks has an hour less, and its days are still compared with days. Any other period
 * is compared with the same length of time.
 */
export const previousOf = (question: Question): Question => {
  const { from, to, zone } = question
  for (const interval of ['month', 'day'] as const) {
    if (startOf(interval, from, zone) !== from) continue
    const count = wholeIntervals(interval, from, to, zone)
    if (count !== undefined) return { ...question, from: stepsBack(interval, from, zone, count), to: from }
  }
  return { ...question, from: from - (to - from), to: from }
}

const wholeIntervals = (interval: 'month' | 'day', from: number, to: number, zone: string): number | undefined => {
  let at = from
  let count = 0
  for (; at < to && count < stepsMax; count += 1) at = nextStart(interval, at, zone)
  return at === to ? count : undefined
}

const stepsBack = (interval: 'month' | 'day', from: number, zone: string, count: number): number => {
  let at = from
  for (let step = 0; step < count; step += 1) at = startOf(interval, at - 1, zone)
  return at
}

/** `previous`; a period of its own: `2026-10-01..2026-11-01`; or another release in the same period: `release:2026-11-20`. */
export const comparedOf = (question: Question, compare: string, now: number): Question => {
  if (compare === 'previous') return previousOf(question)
  if (compare.startsWith('release:'))
    return { ...question, where: [...question.where.filter(({ by }) => by !== 'release'), parseFilter(compare)] }
  const [from, to, ...more] = compare.split('..')
  if (!from || !to || more.length > 0) {
    throw new TaximeterError(
      'BAD_QUESTION',
      `"compare" should be "previous" or a period such as 2026-10-01..2026-11-01, got "${compare.slice(0, 100)}".`,
    )
  }
  const period = parseQuestion({ from, to, tz: question.zone }, now)
  return { ...question, from: period.from, to: period.to }
}

type Ask = (question: Question) => Promise<Answer>

/**
 * Puts a question, and the same to what it is compared with. Where the first values of an attribute are asked for, what it is
 * compared with has the rows of these values: a value is not gone because others were larger.
 */
export const askCompared = async (ask: Ask, question: Question, compared: Question): Promise<{ answer: Answer; previous: Answer }> => {
  const [answer, previous] = await Promise.all([ask(question), ask(compared)])
  const [by] = question.by
  const isWhole = ![...answer.rows, ...previous.rows].some(isFolded)
  if (by === undefined || by === 'unit' || question.by.length > 1 || question.interval !== undefined || isWhole) return { answer, previous }
  const named: Filter = { by, values: answer.rows.filter((row) => !isFolded(row)).map((row) => row[by] as string | null) }
  const { top: _, ...all } = compared
  const [rows, rest] = await Promise.all([
    ask({ ...all, where: [...compared.where, named] }),
    ask({ ...all, by: [], where: [...compared.where, { ...named, isNot: true }] }),
  ])
  const groups = previous.rows.reduce((sum, row) => sum + (isFolded(row) ? Number(row.folded) : 1), 0)
  const folded = groups - rows.rows.length
  const other = folded > 0 ? [{ [by]: 'other', folded, ...rest.rows[0] }] : []
  return { answer, previous: { ...previous, rows: [...rows.rows, ...other] } }
}

const isFolded = (row: AnswerRow): boolean => row.folded !== undefined
