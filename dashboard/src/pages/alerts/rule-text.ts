import type { AlertRuleJson } from '../../../../src/server/api.ts'
import { count, percent } from '../../format/numbers.ts'
import { spanText } from '../../format/times.ts'
import { attributeTitle, figureText, measureInfo } from '../../state/measures.ts'

/** What a rule watches, in a sentence without its full stop. A kind that this page has no words for is named. */
export const ruleText = ({ kind, condition, by }: Pick<AlertRuleJson, 'kind' | 'condition' | 'by'>): string => {
  const sentence = sentences[kind]?.(readerOf(condition)) ?? kind
  // A rule on releases compares the releases of a task, and says so itself.
  return by.length === 0 ? sentence : `${sentence}, for each ${by.map((name) => attributeTitle(name).toLowerCase()).join(' and ')}`
}

type Read = ReturnType<typeof readerOf>

const readerOf = (condition: AlertRuleJson['condition']) => ({
  number: (name: string): number => Number(condition[name] ?? 0),
  text: (name: string): string => String(condition[name] ?? ''),
  has: (name: string): boolean => Number(condition[name] ?? 0) > 0,
  measure: () => measureInfo(String(condition.measure)),
  span: (name: string): string => spanText(Number(condition[name] ?? 0)),
})

const sentences: Readonly<Record<string, (read: Read) => string>> = {
  threshold: (read) => {
    const info = read.measure()
    const bound = read.has('above') ? 'above' : 'below'
    const value = info.form === 'usd' ? read.number(bound).toFixed(12) : read.number(bound)
    const limit = read.has('isShare') ? `${shareText(read.number(bound))} of the calls` : figureText(info, value)
    return `${info.title} of ${read.span('windowMs')} is ${bound} ${limit}`
  },
  change: (read) =>
    `${read.measure().title} of ${read.span('windowMs')} ${read.text('direction') === 'fall' ? 'fell' : 'rose'} by more than ${shareText(read.number('share'))}`,
  burn: () => 'A budget is spent faster than it lasts',
  budget: () => 'A budget passes one of its thresholds',
  baseline: (read) => `An hour costs far more than the same hours before (${count(read.number('distance'))} spreads)`,
  release: (read) => `A run costs ${shareText(read.number('rise'))} more since the newest release`,
  new: (read) => `A ${read.text('attribute')} is seen that was not seen for 30 days`,
  unpriced: () => 'Calls have no price',
  coverage: (read) => `Less than ${shareText(read.number('below'))} of the calls of ${read.span('windowMs')} have a sure cost`,
  request: (read) =>
    `One call has more than ${count(read.number('tokensAbove'))} tokens${read.has('timesUsual') ? `, and ${count(read.number('timesUsual'))} times the usual` : ''}`,
  repeat: (read) =>
    `The same prompt is sent ${count(read.number('times'))} times ${read.text('within') === 'run' ? 'within a run' : `by an agent within ${read.span('windowMs')}`}`,
  silent: (read) => `An agent that was busy makes no call for ${read.span('afterMs')}`,
}

/** Shares that people write are whole: "20%", not "20.0%". */
const shareText = (share: number): string => percent(share).replace('.0%', '%')
