import { axisUsd, compact, decimal, duration, percent } from '../format/numbers.ts'
import { clockOf } from '../format/times.ts'
import { figureText, type MeasureInfo } from '../state/measures.ts'
import type { Stack } from './stack-of.ts'

/** The ends of a value axis: short, in the form of the measure. */
export const axisText = (info: MeasureInfo, value: number): string => {
  if (value === 0) return info.form === 'usd' ? '$0' : '0'
  switch (info.form) {
    case 'usd':
      return axisUsd(value)
    case 'count':
      return compact(value)
    case 'number':
      return decimal(value)
    case 'share':
      return percent(value)
    case 'ms':
      return duration(value)
    default:
      return info.form satisfies never
  }
}

/** What a chart says, in words: for those who hear it instead. */
export const summaryOf = ({ info, starts, wholes, layers, answer }: Stack): string => {
  const clock = clockOf(answer.tz)
  let highest = 0
  for (const [index, value] of wholes.entries()) if (Number(value ?? 0) > Number(wholes[highest] ?? 0)) highest = index
  const first = starts[0]
  const last = starts.at(-1)
  if (first === undefined || last === undefined) return 'Nothing in this period.'
  const lead = layers[0]
  return [
    `From ${clock.minute(first)} to ${clock.minute(Date.parse(answer.to))}, ${figureText(info, answer.totals[info.name])} in all.`,
    `Highest ${clock.minute(starts[highest] ?? first)} with ${figureText(info, wholes[highest])}.`,
    lead === undefined ? '' : `Largest: ${lead.name} with ${figureText(info, lead.total)}.`,
  ].join(' ')
}
