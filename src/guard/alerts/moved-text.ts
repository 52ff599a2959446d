import { explain } from '../../analysis/explain.ts'
import { causesText } from '../../analysis/readings.ts'
import { askSpendings } from '../../analysis/spending.ts'
import type { Value } from '../../core/answer.ts'
import type { Question } from '../../core/question.ts'
import type { Evidence } from './evidence.ts'
import { filtersOf, segmentOf } from './finding-text.ts'
import type { Rule } from './rule.ts'

/** Which component moved, from the exact split of the difference; nothing where there is none to tell. */
export const movedText = async (
  rule: Rule,
  row: Readonly<Record<string, Value | undefined>>,
  now: Pick<Question, 'from' | 'to' | 'zone'>,
  before: Pick<Question, 'from' | 'to' | 'zone'>,
  evidence: Evidence,
): Promise<string> => {
  const where = [...rule.where, ...filtersOf(segmentOf(rule.by, row))]
  const [after, old] = await Promise.all([askSpendings(evidence.ask, now, where), askSpendings(evidence.ask, before, where)])
  const explanation = explain(old.all, after.all)
  const text = causesText(explanation)
  return text === '' ? '' : ` What moved: ${text}.`
}
