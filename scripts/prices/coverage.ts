import type { ProviderJson } from '../../src/core/book-json.ts'
import { createPriceBook } from '../../src/core/price-book.ts'
import { type Candidate, noPrice, partsOf, type Reading } from './candidate.ts'
import type { Finding } from './checks.ts'
import { type Override, overridesFor } from './overrides.ts'

/** What becomes of every model that any source names. */
export interface Coverage {
  readonly named: number
  /** Those that the book does not have, each with the reason. */
  readonly absent: readonly Finding[]
  /** Those of which a source has a price, and nobody said why the book should not have it. */
  readonly faults: readonly Finding[]
}

/**
 * Looks every model that a source names up in the price files, as a call would: under its name, another spelling of it, or at a
 * provider whose prices are inherited. What is not found there is absent, for one of a few reasons, or a fault.
 */
export const coverageOf = (
  readings: readonly Pick<Reading, 'candidates' | 'left'>[],
  providers: Readonly<Record<string, ProviderJson>>,
  overrides: readonly Override[],
): Coverage => {
  const book = createPriceBook({ version: '', checksum: '', providers })
  const named = new Map<string, { readonly provider: string; readonly model: string; readonly said: Candidate[]; why?: string }>()
  const entryOf = (provider: string, model: string) => {
    const key = `${provider}/${model.toLowerCase()}`
    const entry = named.get(key) ?? { provider, model, said: [] }
    named.set(key, entry)
    return entry
  }
  for (const { candidates, left } of readings) {
    for (const candidate of candidates) entryOf(candidate.provider, candidate.model).said.push(candidate)
    for (const { provider, model, why } of left) entryOf(provider, model).why ??= why
  }
  const absent: Finding[] = []
  const faults: Finding[] = []
  for (const { provider, model, said, why } of named.values()) {
    if (book.nameOf(provider, model) !== undefined) continue
    const where = `${provider}/${model}`
    const reason = decisionOn(overridesFor(overrides, provider, model)) ?? (said.length === 0 ? why : reasonOf(said))
    if (reason === undefined) faults.push({ where, what: 'has a price in a source, and is not in the book' })
    else absent.push({ where, what: reason })
  }
  return { named: named.size, absent, faults }
}

const decisionOn = (overrides: readonly Override[]): string | undefined => overrides.find(({ drop }) => drop === 'model')?.why

const reasonOf = (said: readonly Candidate[]): string | undefined => {
  const standard = said.flatMap(({ rates }) => [...rates].filter(([slot]) => partsOf(slot).list === ''))
  if (standard.length === 0) return noPrice
  return standard.every(([, rate]) => rate === '0') ? 'a price of zero in every source: a trial, or priced by what is not read' : undefined
}
