import { type Filter, parseQuestion, type Question, type QuestionText } from '../core/question.ts'
import { listParameter, textParameter, type Values } from './parameters.ts'

/** The parameters that say which entries are meant: the same on every route that asks about a period. */
export const periodQuery = {
  from: textParameter(40, 'A day or an instant with its zone; inside the period.', '2026-11-01'),
  to: textParameter(40, 'A day or an instant with its zone; not inside the period. Absent: now.'),
  last: textParameter(10, 'A span that ends now, instead of from and to.', '24h'),
  tz: textParameter(64, 'The time zone in which days, weeks and months are cut. Absent: UTC.', 'Europe/Berlin'),
  where: listParameter(10_000, 20, '`task:refund`, `model:a,b`, `-team:` (all that have a team); may be repeated.', 'task:refund'),
}

/** The period and the filters of a request that asks for entries or runs rather than for sums. */
export const parsePeriodQuery = (
  text: Values<typeof periodQuery>,
  now: number,
  otherwise: QuestionText = {},
): { readonly from: number; readonly to: number; readonly where: readonly Filter[] } => {
  const isSaid = text.from !== undefined || text.to !== undefined || text.last !== undefined
  const { from, to, where }: Question = parseQuestion(
    { from: text.from, to: text.to, last: text.last ?? (isSaid ? undefined : otherwise.last), tz: text.tz, where: text.where },
    now,
  )
  return { from, to, where }
}
