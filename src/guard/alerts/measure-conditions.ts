import { countOf } from '../../analysis/spending.ts'
import { shareTest } from '../../analysis/statistics.ts'
import type { AnswerRow } from '../../core/answer.ts'
import type { Measure, Question } from '../../core/question.ts'
import { type Finding, keyOf } from './alert-states.ts'
import { type Evidence, settledEnd } from './evidence.ts'
import { percent, queryOf, segmentOf, segmentText, shown, spanText } from './finding-text.ts'
import { whyFor } from './finding-why.ts'
import { type Condition, countedMeasures, type Rule } from './rule.ts'

type Of<Kind extends Condition['kind']> = Extract<Condition, { kind: Kind }>

/** A difference of shares that chance makes once in a thousand is believed. */
const chanceMax = 0.001

/** A measure of each segment against a number. */
export const thresholdFindings = async (
  rule: Rule,
  { measure, isShare, windowMs, above, below, callsMin }: Of<'threshold'>,
  evidence: Evidence,
): Promise<readonly Finding[]> => {
  const question = questionOf(rule, evidence, [measure, 'cost', 'calls'], windowMs, isPerRun(measure))
  const limit = above ?? below ?? 0
  const read = isShare ? sharesOf(measure) : valuesOf(measure)
  return (await rowsOf(evidence, question))
    .filter((row) => {
      const value = read.of(row)
      if (value === null || countOf(row, 'calls') < callsMin || Number(row.cost) < rule.floorUsd) return false
      return above === undefined ? value < limit : value > limit
    })
    .map((row) => {
      const segment = segmentOf(rule.by, row)
      const message = `${segmentText(segment)}: ${measure} was ${read.text(row)}${read.unit} in the last ${spanText(windowMs)}, ${above === undefined ? 'below' : 'above'} ${isShare ? percent(limit) : shown(measure, limit)}.`
      return {
        segment,
        value: read.exact(row),
        threshold: String(limit),
        message,
        query: queryOf(question),
        ...(isSpending(measure) &&
          above !== undefined && { why: (firing) => whyFor({ where: rule.where, segment, firing }, question, evidence) }),
      }
    })
}

/** A measure of each segment against the period of equal length before. */
export const changeFindings = async (
  rule: Rule,
  { measure, windowMs, direction, share, callsMin, runsMin }: Of<'change'>,
  evidence: Evidence,
): Promise<readonly Finding[]> => {
  const question = questionOf(rule, evidence, [measure, 'cost', 'calls', ...(runsMin > 0 ? (['runs'] as const) : [])], windowMs, true)
  const earlier = { ...question, from: question.from - windowMs, to: question.from }
  const [rows, before] = await Promise.all([rowsOf(evidence, question), rowsOf(evidence, earlier)])
  const beforeOf = new Map(before.map((row) => [keyOf(segmentOf(rule.by, row)), row]))
  const read = countedMeasures.has(measure) ? sharesOf(measure) : valuesOf(measure)
  return rows.flatMap((row): readonly Finding[] => {
    const segment = segmentOf(rule.by, row)
    const was = beforeOf.get(keyOf(segment))
    if (was === undefined || Number(row.cost) < rule.floorUsd) return []
    // Few calls or runs differ by chance.
    if ([was, row].some((side) => countOf(side, 'calls') < callsMin || countOf(side, 'runs') < runsMin)) return []
    const ratio = read.ratio(was, row)
    const moved = direction === 'rise' ? ratio - 1 : 1 - ratio
    if (!(moved > share)) return []
    const expected = isPerRun(measure) ? ({ expected: 'same-runs' } as const) : {}
    const by = Number.isFinite(moved) ? ` ${percent(moved)}` : ''
    return [
      {
        segment,
        value: read.exact(row),
        threshold: String((read.of(was) ?? 0) * (direction === 'rise' ? 1 + share : 1 - share)),
        message: `${segmentText(segment)}: ${measure} ${direction === 'rise' ? 'rose' : 'fell'}${by} against the ${spanText(windowMs)} before (${read.text(was)} → ${read.text(row)}${read.unit}).`,
        query: queryOf(question),
        ...(isSpending(measure) &&
          direction === 'rise' && {
            why: (firing) => whyFor({ where: rule.where, segment, firing }, question, evidence, { before: earlier, ...expected }),
          }),
      },
    ]
  })
}

/** How a rule reads a row. */
interface Reading {
  of(row: AnswerRow): number | null
  /** Of the later to the earlier; NaN where they cannot be compared, or differ by chance. */
  ratio(was: AnswerRow, is: AnswerRow): number
  exact(row: AnswerRow): string
  text(row: AnswerRow): string
  readonly unit: string
}

const valuesOf = (measure: Measure): Reading => {
  const of = (row: AnswerRow): number | null => (row[measure] === null || row[measure] === undefined ? null : Number(row[measure]))
  return {
    of,
    // What was nothing before has not risen: there is nothing to compare with.
    ratio: (was, is) => ((of(was) ?? 0) > 0 ? (of(is) ?? 0) / (of(was) ?? 0) : Number.NaN),
    exact: (row) => String(row[measure] ?? ''),
    text: (row) => shown(measure, row[measure] ?? null),
    unit: '',
  }
}

/** What a count is of the calls: a surge of traffic has more of both, and the same share. Compared in whole numbers. */
const sharesOf = (measure: Measure): Reading => {
  const sideOf = (row: AnswerRow) => ({ part: countOf(row, measure), whole: countOf(row, 'calls') })
  const of = (row: AnswerRow): number | null => (countOf(row, 'calls') === 0 ? null : countOf(row, measure) / countOf(row, 'calls'))
  return {
    of,
    ratio: (was, is) => {
      const [old, now] = [sideOf(was), sideOf(is)]
      const chance = shareTest(old, now)
      return chance === undefined || chance > chanceMax ? Number.NaN : (now.part * old.whole) / (old.part * now.whole)
    },
    exact: (row) => (of(row) ?? 0).toFixed(6),
    text: (row) => percent(of(row) ?? 0),
    unit: ' of the calls',
  }
}

/** What money was spent on can be split into causes; what a count or a ratio is made of cannot. */
const isSpending = (measure: Measure): boolean => /cost|burnRate|tokens/i.test(measure)
const isPerRun = (measure: Measure): boolean => /PerRun|Per1kRuns|^costP\d\d$|PerCompletion/.test(measure)

const questionOf = (rule: Rule, { now, zone }: Evidence, measures: readonly Measure[], windowMs: number, isSettled: boolean): Question => {
  const to = isSettled ? settledEnd(now, windowMs) : now + 1
  return { measures: [...new Set(measures)], by: rule.by, where: rule.where, from: to - windowMs, to, zone }
}

/** The answer of a period that is over is kept until the next one. */
const rowsOf = ({ now, rows, settledRows }: Evidence, question: Question): Promise<readonly AnswerRow[]> =>
  question.to > now ? rows(question) : settledRows(question)
