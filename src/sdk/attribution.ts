import { type Attribution, attributeCharsMax, tagKeyCharsMax, tagsMax } from '../core/attribution.ts'
import type { Warn } from './warning.ts'

/** What a user may say of their calls; the run's id and the step are known from where the call is made. */
export type GivenAttribution = Omit<Attribution, 'run' | 'step' | 'key'>

export const givenNames = ['agent', 'session', 'task', 'release', 'environment', 'team', 'user'] as const

/** What came from users, in the form that the ledger takes. What is too long or odd is cut or left out, with a warning: it must not cost the event. */
export const cleanAttribution = (given: GivenAttribution, warn: Warn): GivenAttribution => {
  const clean: Record<string, unknown> = {}
  for (const name of givenNames) {
    const value: unknown = given[name]
    if (value === undefined || value === null || value === '') continue
    clean[name] = shortName(value, name, warn)
  }
  const tags = cleanTags(given.tags, warn)
  if (tags !== undefined) clean.tags = tags
  return clean
}

export const shortName = (value: unknown, what: string, warn: Warn): string => {
  const text = typeof value === 'string' ? value : String(value)
  if (text.length <= attributeCharsMax) return text
  warn('bad-option', `"${what}" should have at most ${attributeCharsMax} characters, got ${text.length}; the rest is cut off.`)
  return text.slice(0, attributeCharsMax)
}

const cleanTags = (tags: unknown, warn: Warn): Readonly<Record<string, string>> | undefined => {
  if (typeof tags !== 'object' || tags === null) return undefined
  const clean: [string, string][] = []
  for (const [key, value] of Object.entries(tags)) {
    if (value === undefined || value === null) continue
    if (!/^[\w.-]+$/.test(key) || key.length > tagKeyCharsMax || clean.length === tagsMax) {
      warn(
        'bad-option',
        `A call can have ${tagsMax} tags, named with at most ${tagKeyCharsMax} letters, digits, "_", "-" or "."; one is left out.`,
      )
      continue
    }
    clean.push([key, shortName(value, 'tags', warn)])
  }
  return clean.length === 0 ? undefined : Object.fromEntries(clean)
}

/** The inner attribution over the outer one; tags are merged key by key. */
export const mergedAttribution = <Outer extends Attribution>(outer: Outer, inner: Attribution): Attribution => {
  const tags = outer.tags !== undefined && inner.tags !== undefined ? { ...outer.tags, ...inner.tags } : (inner.tags ?? outer.tags)
  return { ...outer, ...inner, ...(tags && { tags }) }
}
