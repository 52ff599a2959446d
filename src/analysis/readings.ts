import { divideHalfEven } from '../core/money.ts'
import type { Filter } from '../core/question.ts'
import { readableChange, readableShare, readableUsd } from '../core/readable.ts'
import { type Cause, costOf, type Explanation, explain, type Part, type Spending } from './explain.ts'

/** A plain sentence about what changed, with the numbers behind it and the question that shows them. */
export interface Reading {
  readonly level: 'quiet' | 'notice' | 'warning'
  /** `traffic`: more or fewer runs; `unit-cost`: a run costs more or less; `both`; `steady`: neither. */
  readonly kind: 'traffic' | 'unit-cost' | 'both' | 'steady'
  readonly sentence: string
  readonly explanation: Explanation
  /** Which entries it speaks of; empty: all. */
  readonly where: readonly Filter[]
}

export interface ReadingSubject {
  /** As it is named in the sentence: "refund", or undefined for everything. */
  readonly name?: string
  readonly where: readonly Filter[]
  readonly before: Spending
  readonly after: Spending
  /** What the periods are called: "yesterday", "release 2026-11-20". */
  readonly beforeName: string
}

/** Changes below this share of the old cost are not worth a sentence of their own. */
const changeMin = 5n
/** A unit-cost rise from here on is a warning. */
const warningMin = 20n

/**
 * Reads one change for a person: how much, whether it is traffic or the cost of a run, and what moved inside a run. Traffic is
 * not a regression, and is never called one.
 */
export const readingOf = (subject: ReadingSubject): Reading => {
  const explanation = explain(subject.before, subject.after)
  const { before, after, difference, parts } = explanation
  const traffic = parts.filter(({ cause }) => cause === 'traffic').reduce((sum, part) => sum + part.amount, 0n)
  const unit = difference - traffic
  const isTraffic = isNotable(traffic, before)
  const isUnit = isNotable(unit, before)
  const kind = isTraffic && isUnit ? 'both' : isTraffic ? 'traffic' : isUnit ? 'unit-cost' : 'steady'
  const level = isUnit && unit * 100n >= before * warningMin && before > 0n ? 'warning' : kind === 'steady' ? 'quiet' : 'notice'
  const sentences = [
    headline(subject, before, after),
    ...(kind === 'steady' ? [] : [runsSentence(subject, traffic, explanation), ...unitSentences(subject, unit, explanation)]),
  ]
  return { level, kind, sentence: sentences.filter((text) => text !== '').join(' '), explanation, where: subject.where }
}

const isNotable = (amount: bigint, whole: bigint): boolean =>
  whole === 0n ? amount !== 0n : (amount < 0n ? -amount : amount) * 100n >= whole * changeMin

const headline = ({ name, beforeName }: ReadingSubject, before: bigint, after: bigint): string => {
  const what = name === undefined ? 'Cost' : `Cost of “${name}”`
  if (before === 0n)
    return after === 0n ? `${what} is nothing, as ${beforeName}.` : `${what} is ${readableUsd(after)}; there was none ${beforeName}.`
  const verb = after > before ? 'rose' : after < before ? 'fell' : 'stayed'
  if (verb === 'stayed') return `${what} stayed at ${readableUsd(after)}.`
  return `${what} ${verb} ${readableChange(before, after)?.replace(/^[+−]/, '')} against ${beforeName} (${readableUsd(before)} → ${readableUsd(after)}).`
}

const runsSentence = ({ before, after }: ReadingSubject, traffic: bigint, { before: old }: Explanation): string => {
  if (before.runs === 0 || after.runs === 0) return after.runs === 0 && before.runs === 0 ? 'None of it belongs to a run.' : ''
  const runs = readableChange(BigInt(before.runs), BigInt(after.runs))
  if (!isNotable(traffic, old)) return `Runs stayed level (${before.runs} → ${after.runs}).`
  return `Traffic accounts for ${readableShare(traffic, old)}: runs went from ${before.runs} to ${after.runs} (${runs}).`
}

const unitSentences = ({ before, after }: ReadingSubject, unit: bigint, explanation: Explanation): readonly string[] => {
  if (!isNotable(unit, explanation.before) || before.runs === 0 || after.runs === 0) return []
  const perRun = [before, after].map((side) => divideHalfEven(costOf(side), BigInt(side.runs)))
  const [old = 0n, now = 0n] = perRun
  const causes = causesText(explanation)
  return [
    `A run costs ${readableUsd(now)} instead of ${readableUsd(old)} (${readableChange(old, now)})${causes === '' ? '' : `: ${causes}`}.`,
  ]
}

/** The largest causes inside a run, each with its share of the old cost: "+31 % from prompt tokens (gpt-4.1), +7 % from retries". */
export const causesText = (explanation: Explanation): string =>
  explanation.parts
    .filter(({ cause, amount }) => cause !== 'traffic' && isNotable(amount * 5n, explanation.before))
    .slice(0, 3)
    .map((part) => `${readableShare(part.amount, explanation.before)} from ${causeText(part)}`)
    .join(', ')

const causeNames: Readonly<Record<Cause, string>> = {
  traffic: 'traffic',
  calls: 'calls per run',
  mix: 'the choice of models',
  price: 'prices',
  prompt: 'prompt tokens',
  cache: 'cache hits',
  output: 'output tokens',
  retries: 'retries',
  tools: 'tools',
  other: 'searches, images and other units',
}

export const causeText = ({ cause, model, amount }: Part): string => {
  if (cause === 'calls') return amount > 0n ? 'more calls per run' : 'fewer calls per run'
  return `${causeNames[cause]}${model === undefined ? '' : ` (${model})`}`
}
