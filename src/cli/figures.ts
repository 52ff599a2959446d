import type { Value } from '../core/answer.ts'
import type { Measure } from '../core/question.ts'
import { grouped, readableUsd } from '../core/readable.ts'

/** How a person reads a figure in a terminal. "–" is "not defined", which is never shown as zero. */
export const figure = (measure: Measure | string, value: Value | undefined): string => {
  if (value === null || value === undefined) return '–'
  if (isMoney(measure)) return readableUsd(String(value))
  if (measure === 'efficiency') return Number(value).toFixed(3)
  if (measure === 'cacheHitRate') return `${(Number(value) * 100).toFixed(1)} %`
  if (measure.startsWith('latency')) return `${Math.round(Number(value))} ms`
  return typeof value === 'number' ? grouped(Number.isInteger(value) ? String(value) : value.toFixed(1)) : grouped(value)
}

const isMoney = (measure: string): boolean => /cost|burnRate/i.test(measure)
