import { units } from '../../src/core/units.ts'
import { type Agreed, type AgreedPeriod, type Candidate, partsOf, type Slot, type SourceId, sourceIds } from './candidate.ts'
import { isSane } from './limits.ts'

/** Sources that differ on a rate. */
export interface Conflict {
  readonly provider: string
  readonly model: string
  readonly from?: string
  readonly slot: Slot
  readonly chosen: string
  /** More sources say what was chosen than say anything else; otherwise the most trustworthy one was taken at its word. */
  readonly isOutvoted: boolean
  readonly votes: readonly { readonly value: string; readonly sources: readonly SourceId[] }[]
}

export interface Agreement {
  readonly periods: readonly AgreedPeriod[]
  readonly conflicts: readonly Conflict[]
}

/** How a provider's votes are counted: in which order its sources are trusted, and what it would charge if it sold at another's prices. */
export interface Counting {
  readonly trust?: readonly SourceId[] | undefined
  readonly prefer?: ((model: string, slot: Slot) => string | undefined) | undefined
}

/**
 * What the sources together say of one model. The candidates are those of one model, the ones of its proper name first: each
 * source has one vote for each rate. Two votes confirm a rate; where votes differ see `chosenOf`.
 *
 * A source that dates its rates makes the periods; an undated source speaks for the period that its own day falls into. A source
 * whose input or output rate does not stand is out of date or of another mind: it is not asked for other token rates.
 */
export const agreementOf = (provider: string, model: string, candidates: readonly Candidate[], counting: Counting = {}): Agreement => {
  const starts = [...new Set(candidates.flatMap(({ from }) => (from === undefined ? [] : [from])))].sort()
  const conflicts: Conflict[] = []
  const periods = [undefined, ...starts].map((from, index): AgreedPeriod => {
    const until = starts[index]
    const speaking = candidates.filter((candidate) =>
      candidate.isDated
        ? candidate.from === from
        : (from === undefined || candidate.asOf >= from) && (until === undefined || candidate.asOf < until),
    )
    const votes = votesOf(speaking, ({ rates }) => rates)
    const rates = new Map<Slot, Agreed>()
    const wrong = new Set<SourceId>()
    const decide = (slot: Slot): void => {
      const cast = mainSlots.has(slot) ? votes.get(slot) : trustedOf(votes.get(slot), wrong, slot)
      if (cast === undefined) return
      const chosen = chosenOf(cast, slot, model, counting)
      if (chosen === undefined) return
      rates.set(slot, { value: chosen.value, confidence: chosen.confidence })
      if (chosen.isContested)
        conflicts.push({
          provider,
          model,
          ...(from && { from }),
          slot,
          chosen: chosen.value,
          isOutvoted: chosen.isOutvoted,
          votes: listed(cast, counting),
        })
      if (mainSlots.has(slot))
        for (const [value, sources] of cast) if (value !== chosen.value && value !== '0') for (const source of sources) wrong.add(source)
    }
    for (const slot of mainSlots) decide(slot)
    for (const slot of votes.keys()) if (!mainSlots.has(slot)) decide(slot)
    withoutFalseZeros(rates)
    return { ...(from && { from }), rates, multipliers: multipliersOf(speaking, wrong, counting) }
  })
  return { periods: periods.filter(({ rates }) => rates.size > 0), conflicts }
}

const mainSlots: ReadonlySet<Slot> = new Set(['|0|input', '|0|output'])

const trustedOf = (votes: Votes | undefined, wrong: ReadonlySet<SourceId>, slot: Slot): Votes | undefined => {
  if (votes === undefined || units[partsOf(slot).unit].side === 'other') return votes
  const kept = [...votes].map(([value, sources]): [string, SourceId[]] => [value, sources.filter((source) => !wrong.has(source))])
  return new Map(kept.filter(([, sources]) => sources.length > 0))
}

const multipliersOf = (candidates: readonly Candidate[], wrong: ReadonlySet<SourceId>, counting: Counting): Map<string, Agreed> => {
  const multipliers = new Map<string, Agreed>()
  for (const [list, votes] of votesOf(candidates, ({ multipliers }) => multipliers ?? new Map<string, string>())) {
    const [value, sources = []] = rankedOf(votes, counting)[0] ?? []
    if (value !== undefined && sources.some((source) => !wrong.has(source)))
      multipliers.set(list, { value, confidence: sources.length > 1 ? 'confirmed' : 'single-source' })
  }
  return multipliers
}

type Votes = Map<string, SourceId[]>

const votesOf = <Key extends string>(
  candidates: readonly Candidate[],
  read: (candidate: Candidate) => ReadonlyMap<Key, string>,
): Map<Key, Votes> => {
  const slots = new Map<Key, Votes>()
  const voted = new Set<string>()
  for (const candidate of candidates)
    for (const [slot, value] of read(candidate)) {
      const ballot = `${candidate.source} ${slot}`
      if (voted.has(ballot)) continue
      voted.add(ballot)
      const votes: Votes = slots.get(slot) ?? new Map()
      slots.set(slot, votes.set(value, [...(votes.get(value) ?? []), candidate.source]))
    }
  return slots
}

/** The votes, the one that stands first: more sources before fewer, then the preferred value, then the order of trust. */
const rankedOf = (votes: Votes, { trust = sourceIds }: Counting, preferred?: string): [string, SourceId[]][] => {
  const rank = (sources: readonly SourceId[]) => Math.min(...sources.map((source) => trust.indexOf(source)))
  return [...votes].sort(
    ([leftValue, left], [rightValue, right]) =>
      right.length - left.length || Number(rightValue === preferred) - Number(leftValue === preferred) || rank(left) - rank(right),
  )
}

interface Chosen extends Agreed {
  readonly isContested: boolean
  readonly isOutvoted: boolean
}

/**
 * The rate that stands. A zero is what a source writes when it knows no price: one against any other rate, or from one source
 * alone, is none. A rate that nobody would ask (see limits.ts) loses against any that one would.
 */
const chosenOf = (all: Votes, slot: Slot, model: string, counting: Counting): Chosen | undefined => {
  const { unit } = partsOf(slot)
  const priced = new Map([...all].filter(([value]) => value !== '0'))
  const sane = new Map([...priced].filter(([value]) => isSane(unit, value)))
  const votes = sane.size > 0 ? sane : priced.size > 0 ? priced : all
  const [first, second] = rankedOf(votes, counting, counting.prefer?.(model, slot))
  const [value, sources] = first ?? []
  if (value === undefined || sources === undefined) return undefined
  if (value === '0' && sources.length < 2 && !model.endsWith(':free')) return undefined
  return {
    value,
    confidence: sources.length > 1 ? 'confirmed' : 'single-source',
    isContested: priced.size > 1,
    isOutvoted: second === undefined || sources.length > second[1].length,
  }
}

/** Nothing that a model sells is free beside an input that is not: an embedding has no output, a cache write is charged as input. */
const withoutFalseZeros = (rates: Map<Slot, Agreed>): void => {
  for (const [slot, { value }] of rates) {
    const { list, threshold, unit } = partsOf(slot)
    if (value !== '0' || unit === 'input') continue
    const input = rates.get(`${list}|${threshold}|input`) ?? rates.get(`${list}|0|input`) ?? rates.get('|0|input')
    if (units[unit].side === 'other' || unit.startsWith('cache_write') || (input !== undefined && input.value !== '0')) rates.delete(slot)
  }
}

const listed = (votes: Votes, counting: Counting) => rankedOf(votes, counting).map(([value, sources]) => ({ value, sources }))
