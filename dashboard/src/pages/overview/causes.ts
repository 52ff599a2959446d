import type { ReadingJson } from '../../../../src/server/api.ts'
import { picoOf, usdTextOf } from '../../format/numbers.ts'

type Parts = ReadingJson['parts']

const titles: Readonly<Record<string, string>> = {
  traffic: 'Number of runs',
  calls: 'Calls per run',
  mix: 'Choice of models',
  price: 'Prices',
  prompt: 'Prompt tokens',
  cache: 'Caching',
  output: 'Output tokens',
  retries: 'Retries',
  tools: 'Tools',
  other: 'Other',
}

/** "prompt · gpt-4.1" → "Prompt tokens, gpt-4.1". */
export const causeTitle = (name: string): string => {
  const { cause, model } = namesOf(name)
  return [titles[cause] ?? cause, ...(model === undefined ? [] : [model])].join(', ')
}

/** The parts of all models under their cause, the largest first: they still sum to the change. */
export const byCause = (parts: Parts): Parts => {
  const sums = new Map<string, bigint>()
  for (const { name, amountUsd } of parts) {
    const { cause } = namesOf(name)
    sums.set(cause, (sums.get(cause) ?? 0n) + (picoOf(amountUsd) ?? 0n))
  }
  return bySize([...sums].map(([name, sum]) => ({ name, amountUsd: usdTextOf(sum) })))
}

/** The largest parts by name and the others in one: as many rows as a person reads. */
export const largest = (parts: Parts, max: number): Parts => {
  const known = bySize(parts)
  const rest = known.slice(max)
  if (rest.length < 2) return known
  return [...known.slice(0, max), { name: `${rest.length} smaller parts`, amountUsd: sumOf(rest) }]
}

export const sumOf = (parts: Parts): string => usdTextOf(parts.reduce((sum, part) => sum + (picoOf(part.amountUsd) ?? 0n), 0n))

const bySize = (parts: Parts): Parts =>
  parts
    .filter(({ amountUsd }) => Number(amountUsd) !== 0)
    .toSorted((left, right) => Math.abs(Number(right.amountUsd)) - Math.abs(Number(left.amountUsd)))

const namesOf = (name: string): { readonly cause: string; readonly model: string | undefined } => {
  const at = name.indexOf(' · ')
  return at < 0 ? { cause: name, model: undefined } : { cause: name.slice(0, at), model: name.slice(at + 3) }
}
