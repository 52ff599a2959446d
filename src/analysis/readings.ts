import { divideHalfEven, magnitude } from '../core/money.ts'
import type { Filter } from '../core/question.ts'
import { grouped, readableShare, readableUsd } from '../core/readable.ts'
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
  /** What it is compared with, as one says "in …" and "against …" of it: "the day before", "release 2026-11-20". */
  readonly beforeName: string
  /** Whether `runs` counts runs or, where the cost does not belong to runs, calls (see `withCallsAsRuns`). Absent: runs. */
  readonly unit?: 'run' | 'call'
}

/** Changes below this share of the old cost are not worth a sentence of their own. */
const changeMin = 5n
/** A unit-cost rise from here on is a warning. */
const warningMin = 20n

/**
 * From a change of this many times the old cost on, shares of the old cost say nothing ("+1,057,271 %"): amounts do. Ten times is
 * also where a reader stops thinking of a share.
 */
const sharesMax = 10n

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
    ...(kind === 'steady' || before === 0n
      ? []
      : [runsSentence(subject, traffic, explanation), ...unitSentences(subject, unit, explanation)]),
  ]
  return { level, kind, sentence: sentences.filter((text) => text !== '').join(' '), explanation, where: subject.where }
}

const isNotable = (amount: bigint, whole: bigint): boolean => (whole === 0n ? amount !== 0n : magnitude(amount) * 100n >= whole * changeMin)

/** "38 %", or undefined where a share of the old amount says nothing. */
const shareText = (amount: bigint, whole: bigint): string | undefined =>
  whole === 0n || magnitude(amount) >= whole * sharesMax ? undefined : readableShare(amount, whole)

const headline = ({ name, beforeName }: ReadingSubject, before: bigint, after: bigint): string => {
  const what = name === undefined ? 'Cost' : `Cost of “${name}”`
  if (before === 0n && after === 0n) return `${what} is nothing, as in ${beforeName}.`
  if (before === 0n) return `${what} is ${readableUsd(after)}; there was none in ${beforeName}.`
  if (before === after) return `${what} stayed at ${readableUsd(after)}.`
  const share = shareText(after - before, before)?.replace(/^[+\u2212]/, '')
  const verb = after > before ? 'rose' : 'fell'
  if (share === undefined) return `${what} ${verb} from ${readableUsd(before)} in ${beforeName} to ${readableUsd(after)}.`
  return `${what} ${verb} ${share} against ${beforeName} (${readableUsd(before)} → ${readableUsd(after)}).`
}

const runsSentence = (
  { before, after, beforeName, unit = 'run' }: ReadingSubject,
  traffic: bigint,
  { before: old, difference }: Explanation,
): string => {
  if (before.runs === 0 && after.runs === 0) return unit === 'run' ? 'None of it belongs to a run.' : ''
  if (before.runs === 0) return `All of the change is traffic: there was no ${unit} in ${beforeName}, there were ${count(after.runs)} now.`
  if (after.runs === 0) return `All of the change is traffic: there were ${count(before.runs)} ${unit}s in ${beforeName} and are none now.`
  const [was, is] = [count(before.runs), count(after.runs)]
  if (!isNotable(traffic, old))
    return before.runs === after.runs
      ? `${unit === 'run' ? 'Runs' : 'Calls'} stayed at ${is}.`
      : `${unit === 'run' ? 'Runs' : 'Calls'} stayed level (${was} → ${is}).`
  const change = shareText(BigInt(after.runs - before.runs), BigInt(before.runs))
  return `Traffic accounts for ${partText(traffic, old, difference)}: ${unit}s went from ${was} to ${is}${change === undefined ? '' : ` (${change})`}.`
}

const count = (runs: number): string => grouped(String(runs))

/** A part of a change: its share of the old cost, "+31 %"; where the whole change is no such share, its amount, "+$3.10". */
const partText = (amount: bigint, old: bigint, difference: bigint): string =>
  (shareText(difference, old) === undefined ? undefined : shareText(amount, old)) ??
  `${amount < 0n ? '−' : '+'}${readableUsd(magnitude(amount))}`

const unitSentences = ({ before, after, unit = 'run' }: ReadingSubject, amount: bigint, explanation: Explanation): readonly string[] => {
  if (!isNotable(amount, explanation.before) || before.runs === 0 || after.runs === 0) return []
  const perRun = [before, after].map((side) => divideHalfEven(costOf(side), BigInt(side.runs)))
  const [old = 0n, now = 0n] = perRun
  const change = shareText(now - old, old)
  const causes = causesText(explanation)
  return [
    `A ${unit} costs ${readableUsd(now)} instead of ${readableUsd(old)}${change === undefined ? '' : ` (${change})`}${causes === '' ? '' : `: ${causes}`}.`,
  ]
}

/** The largest causes inside a run, each with its share of the old cost: "+31 % from prompt tokens (gpt-4.1), +7 % from retries". */
export const causesText = (explanation: Explanation): string =>
  explanation.parts
    .filter(({ cause, amount }) => cause !== 'traffic' && isNotable(amount * 5n, explanation.before))
    .slice(0, 3)
    .map((part) => `${partText(part.amount, explanation.before, explanation.difference)} from ${causeText(part)}`)
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
