import { magnitude, parseUsd } from '../core/money.ts'
import { readableUsd } from '../core/readable.ts'
import type { ReadingJson, ReadingsAnswer, SegmentJson } from '../server/api.ts'
import { type Column, printable, textTable } from './text-table.ts'

/** Sentences with what each is made of, and the segment table, for a terminal. */
export const readingsText = ({ readings, segments }: ReadingsAnswer): string =>
  segments.length === 0 && readings.every(({ parts }) => parts.length === 0)
    ? 'No calls in this period, nor in the one before.'
    : `${readings.map(readingText).join('\n\n')}\n\n${segmentsText(segments)}`

const sentenceCharsMax = 600
const partsShown = 6

const readingText = ({ severity, sentence, parts }: ReadingJson): string => {
  const heading = `${severity === 'info' ? '·' : '!'} ${printable(sentence, sentenceCharsMax)}`
  return parts.length < 2 ? heading : `${heading}\n${partsText(parts)}`
}

/** The largest parts of a change, and what the rest comes to, so that the column still sums to the change. */
const partsText = (parts: ReadingJson['parts']): string => {
  const amounts = parts.map(({ name, amountUsd }) => ({ name, amount: parseUsd(amountUsd) ?? 0n })).filter(({ amount }) => amount !== 0n)
  const sorted = amounts.sort((left, right) => Number(magnitude(right.amount) - magnitude(left.amount)))
  const rest = sorted.slice(partsShown)
  const rows = [
    ...sorted.slice(0, partsShown),
    ...(rest.length === 0 ? [] : [{ name: `${rest.length} smaller`, amount: rest.reduce((sum, part) => sum + part.amount, 0n) }]),
  ].map(({ name, amount }) => [printable(name), `${amount < 0n ? '−' : '+'}${readableUsd(magnitude(amount))}`] as const)
  const widest = Math.max(...rows.map(([name]) => name.length))
  const widestAmount = Math.max(...rows.map(([, amount]) => amount.length))
  return rows.map(([name, amount]) => `    ${name.padEnd(widest)}  ${amount.padStart(widestAmount)}`).join('\n')
}

const columns: readonly Column[] = [
  { title: 'task' },
  { title: 'runs', align: 'right' },
  { title: 'cost', align: 'right' },
  { title: 'cost per run', align: 'right' },
  { title: 'p95', align: 'right' },
  { title: 'per hour', align: 'right' },
  { title: 'status' },
  { title: 'why' },
]

const segmentsText = (segments: readonly SegmentJson[]): string =>
  textTable(
    columns,
    segments.map((each) => [
      each.segment.task ?? '(none)',
      String(each.runs),
      amountText(each.costUsd),
      amountText(each.costPerRunUsd),
      amountText(each.costP95Usd),
      amountText(each.burnRatePerHourUsd),
      each.status,
      each.reason,
    ]),
    { cellCharsMax: 100 },
  )

const amountText = (amount: string | null): string => (amount === null ? '–' : readableUsd(amount))
