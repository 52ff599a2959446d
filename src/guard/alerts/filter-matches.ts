import type { CallEntry } from '../../core/event.ts'
import type { Filter } from '../../core/question.ts'

/** Whether one call passes a filter, for rules that watch calls one by one. Units and stop reasons are no call's own: they never match. */
export const filterMatches = ({ by, values, isNot }: Filter, { event, charge }: CallEntry): boolean => {
  const own =
    by === 'basis'
      ? charge.basis
      : by.startsWith('tag.')
        ? event.tags?.[by.slice(4)]
        : (event as unknown as Readonly<Record<string, unknown>>)[by]
  const isIn = values.some((value) => (value === null ? own === undefined : own === value))
  return isNot ? !isIn : isIn
}
