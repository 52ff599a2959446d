import { z } from '@hono/zod-openapi'
import { type Filter, parseQuestion, type Question, type QuestionText } from '../core/question.ts'

/** The parameters that say which entries are meant: the same on every route that asks about a period. */
export const periodQuery = {
  from: z
    .string()
    .max(40)
    .optional()
    .openapi({ description: 'A day or an instant with its zone; inside the period.', example: '2026-11-01' }),
  to: z.string().max(40).optional().openapi({ description: 'A day or an instant with its zone; not inside the period. Absent: now.' }),
  last: z.string().max(10).optional().openapi({ description: 'A span that ends now, instead of from and to.', example: '24h' }),
  tz: z
    .string()
    .max(64)
    .optional()
    .openapi({ description: 'The time zone in which days, weeks and months are cut. Absent: UTC.', example: 'Europe/Berlin' }),
  where: z
    .array(z.string().max(10_000))
    .max(20, 'may be given at most 20 times')
    .optional()
    .openapi({
      description: '`task:refund`, `model:a,b`, `-team:` (all but those without a team); may be repeated.',
      example: ['task:refund'],
    }),
}

export type PeriodText = { readonly [Name in keyof typeof periodQuery]?: z.output<(typeof periodQuery)[Name]> | undefined }

/** The period and the filters of a request that asks for entries or runs rather than for sums. */
export const parsePeriodQuery = (
  text: PeriodText,
  now: number,
  otherwise: QuestionText = {},
): { readonly from: number; readonly to: number; readonly where: readonly Filter[] } => {
  const isSaid = text.from !== undefined || text.to !== undefined || text.last !== undefined
  const { from, to, where }: Question = parseQuestion(
    {
      ...(isSaid ? undefined : otherwise),
      from: text.from,
      to: text.to,
      last: text.last ?? (isSaid ? undefined : otherwise.last),
      tz: text.tz,
      where: text.where,
    },
    now,
  )
  return { from, to, where }
}
