import { normalisedName } from '../../src/core/price-book.ts'
import { agreementOf, type Counting } from './agree.ts'
import type { AgreedPeriod, Candidate } from './candidate.ts'

/** One model of a provider: the name that it goes by, others that are not merely spelled differently, and what is said of it. */
export interface Group {
  readonly name: string
  readonly aliases: readonly string[]
  readonly candidates: readonly Candidate[]
}

/**
 * The candidates of one provider by model. Sources name the same model differently ("claude-opus-4-5", "claude-opus-4-5-20251101")
 * and list its snapshots apart: names that the book's lookup takes for spellings of one model are one, unless their prices differ
 * (gpt-4o-2024-05-13 costs twice what gpt-4o does).
 */
export const groupsOf = (provider: string, candidates: readonly Candidate[], counting: Counting = {}): readonly Group[] => {
  const named = createNames()
  const ruled = candidates.filter(({ matches }) => matches !== undefined)
  for (const candidate of candidates) if (candidate.matches === undefined) named.add(candidate.model, candidate)
  for (const name of named.names()) {
    const rule = ruled.find(({ matches }) => matches?.(name) === true || matches?.(name.toLowerCase()) === true)
    if (rule !== undefined) for (const candidate of ruled) if (candidate.model === rule.model) named.add(name, candidate)
  }
  for (const candidate of ruled) named.add(candidate.model, candidate)

  const spellings = new Map<string, string[]>()
  for (const name of named.names()) spellings.set(normalisedName(name), [...(spellings.get(normalisedName(name)) ?? []), name])
  return [...spellings.values()]
    .flatMap((names) => clustersOf(provider, names, named.of, counting))
    .sort((left, right) => (left.name < right.name ? -1 : 1))
}

/** Candidates by name, in which capitals make no difference; the first spelling is kept. */
const createNames = () => {
  const spelling = new Map<string, string>()
  const named = new Map<string, Candidate[]>()
  return {
    add(name: string, candidate: Candidate): void {
      const key = name.toLowerCase()
      if (!spelling.has(key)) spelling.set(key, name)
      const candidates = named.get(key) ?? []
      if (!candidates.includes(candidate)) named.set(key, [...candidates, candidate])
    },
    names: (): string[] => [...spelling.values()],
    of: (name: string): readonly Candidate[] => named.get(name.toLowerCase()) ?? [],
  }
}

interface Cluster {
  readonly names: string[]
  readonly candidates: Candidate[]
  readonly base: ReadonlyMap<string, string>
}

const clustersOf = (
  provider: string,
  names: readonly string[],
  candidatesOf: (name: string) => readonly Candidate[],
  counting: Counting,
): readonly Group[] => {
  const clusters: Cluster[] = []
  // The shortest name first: it is the one that stands for all spellings in the book's lookup.
  for (const name of [...names].sort((left, right) => left.length - right.length || (left < right ? -1 : 1))) {
    const candidates = candidatesOf(name)
    const base = baseOf(agreementOf(provider, name, candidates, counting).periods)
    const same = clusters.find((cluster) => isSamePrice(cluster.base, base))
    if (same === undefined) {
      clusters.push({ names: [name], candidates: [...candidates], base })
    } else {
      same.names.push(name)
      same.candidates.push(...candidates)
    }
  }
  return clusters.map(({ names, candidates }, index) => {
    const [name = '', ...others] = names
    return { name, aliases: index === 0 ? [] : others, candidates: [...new Set(candidates)] }
  })
}

/** The newest standard rates of a model. */
const baseOf = (periods: readonly AgreedPeriod[]): ReadonlyMap<string, string> =>
  new Map([...(periods.at(-1)?.rates ?? [])].filter(([slot]) => slot.startsWith('|0|')).map(([slot, { value }]) => [slot, value]))

/** Input and output alike where both are said; where neither is, anything else that is said by both. */
const isSamePrice = (left: ReadonlyMap<string, string>, right: ReadonlyMap<string, string>): boolean => {
  const shared = [...left.keys()].filter((slot) => right.has(slot))
  const main = shared.filter((slot) => slot === '|0|input' || slot === '|0|output')
  return shared.length > 0 && (main.length > 0 ? main : shared).every((slot) => left.get(slot) === right.get(slot))
}
