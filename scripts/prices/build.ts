import type { ModelJson, PeriodJson, ProviderJson } from '../../src/core/book-json.ts'
import { agreementOf, type Conflict, type Counting } from './agree.ts'
import { assemblePeriod } from './assemble.ts'
import type { Candidate } from './candidate.ts'
import { type Group, groupsOf } from './group.ts'
import { createInheritance } from './inherit.ts'
import { type Override, overridesFor, withDecisions, withRuledVariants } from './overrides.ts'
import { otherNamesOf, type ProviderSource, providerSources } from './providers.ts'

export interface Built {
  readonly providers: Readonly<Record<string, ProviderJson>>
  readonly conflicts: readonly Conflict[]
}

/** All price files as the sources and the decisions have them on a day, from nothing: what exists is the merge's affair. */
export const buildProviders = (candidates: readonly Candidate[], overrides: readonly Override[], day: string): Built => {
  const conflicts: Conflict[] = []
  const providers: Record<string, ProviderJson> = {}
  for (const [id, source] of Object.entries(providerSources)) {
    const models: Record<string, ModelJson> = {}
    const own = candidates.filter(({ provider }) => provider === id)
    const asOf =
      own
        .map(({ asOf: day }) => day)
        .sort()
        .at(-1) ?? ''
    const inherited = source.inherits && createInheritance(providers, source.inherits, asOf)
    const counting = { trust: source.trust, prefer: inherited?.rateOf }
    for (const group of groupsOf(id, own, counting)) {
      const model = buildModel(id, source, group, overrides, counting, conflicts)
      if (model !== undefined && inherited?.isSame(group.name, model) !== true) models[group.name] = model
    }
    for (const override of overrides)
      if (override.provider === id && override.periods !== undefined) {
        const name = override.models.replaceAll('\\', '')
        models[name] = decidedModel(override, source, models[name])
      }
    const names = otherNamesOf(id)
    providers[id] = {
      name: source.name,
      source: source.page,
      checked: day,
      ...(names.length > 0 && { alsoKnownAs: names }),
      ...(source.inherits && { inherits: source.inherits }),
      ...(source.patterns && { patterns: source.patterns }),
      ...(source.anyModel && { anyModel: source.anyModel }),
      models: Object.fromEntries(Object.entries(models).sort(([left], [right]) => (left < right ? -1 : 1))),
    }
  }
  return { providers, conflicts }
}

const buildModel = (
  id: string,
  source: ProviderSource,
  group: Group,
  overrides: readonly Override[],
  counting: Counting,
  conflicts: Conflict[],
): ModelJson | undefined => {
  const own = overridesFor(overrides, id, group.name)
  if (own.some(({ drop }) => drop === 'model')) return undefined
  const agreement = agreementOf(id, group.name, group.candidates, counting)
  conflicts.push(...agreement.conflicts.filter(({ slot, from }) => !isDecided(own, slot, from)))
  const periods = withDecisions(agreement.periods, own)
    .map((period) => assemblePeriod(period, { ...source, ...tierOpOf(own) }))
    .filter((period) => period !== undefined)
    .map((period, index) => withRuledVariants(period, index, own))
  if (periods.length === 0) return undefined
  const aliases = [...group.aliases, ...own.flatMap(({ aliases = [] }) => aliases)]
  const outputMax = mostCommon(group.candidates.flatMap(({ outputMax: max }) => (max === undefined ? [] : [max])))
  return { ...(aliases.length > 0 && { aliases }), ...(outputMax !== undefined && { outputMax }), periods }
}

const tierOpOf = (overrides: readonly Override[]) => {
  const op = overrides.find(({ op }) => op !== undefined)?.op
  return op === undefined ? {} : { tierOp: op }
}

const isDecided = (overrides: readonly Override[], slot: string, from: string | undefined): boolean =>
  overrides.some((override) => {
    if (override.periods !== undefined) return true
    if (override.from !== undefined && override.from !== from) return false
    const [list = '', threshold = '0', unit = ''] = slot.split('|')
    const ownList = [override.variant?.tier && `tier=${override.variant.tier}`].filter(Boolean).join(',')
    if (override.rates !== undefined) return unit in override.rates && Number(threshold) === (override.threshold ?? 0) && list === ownList
    if (override.drop === 'tiers') return Number(threshold) > 0
    return Array.isArray(override.drop) && override.drop.includes(unit)
  })

const decidedModel = (
  { periods = [], source: page, why, aliases }: Override,
  { page: usual }: ProviderSource,
  known: ModelJson | undefined,
): ModelJson => ({
  ...aliasesOf(aliases ?? known?.aliases),
  ...(known?.outputMax !== undefined && { outputMax: known.outputMax }),
  periods: periods.map(
    (period, index): PeriodJson => ({
      ...period,
      ...(page !== usual && { source: page }),
      ...(index === 0 && period.note === undefined && { note: why }),
      confidence: 'decided',
    }),
  ),
})

const mostCommon = (values: readonly number[]): number | undefined => {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].sort(([left, leftCount], [right, rightCount]) => rightCount - leftCount || left - right)[0]?.[0]
}

const aliasesOf = (aliases: readonly string[] | undefined) => (aliases === undefined ? {} : { aliases })
