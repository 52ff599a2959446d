import type { Conflict } from './agree.ts'
import { partsOf } from './candidate.ts'
import type { Checks } from './checks.ts'
import type { Coverage } from './coverage.ts'
import type { Change } from './merge.ts'

/** What a run found, for a person to read before the files are committed. */
export interface Report {
  readonly changes: readonly Change[]
  readonly conflicts: readonly Conflict[]
  readonly checks: Checks
  readonly coverage: Coverage
  readonly unread: readonly { readonly source: string; readonly names: readonly string[] }[]
}

export const formatReport = ({ changes, conflicts, checks, coverage, unread }: Report, limit: number): string => {
  const open = conflicts.filter(({ isOutvoted }) => !isOutvoted)
  const outvoted = conflicts.filter(({ isOutvoted }) => isOutvoted)
  const sections: [string, readonly string[]][] = [
    [
      'Faults: nothing is written until a decision in prices/overrides.json allows or changes them',
      [...checks.faults, ...coverage.faults].map(findingLine),
    ],
    ['Changes', changes.map(changeLine)],
    ['Conflicts that nobody decided: the most trustworthy source was taken at its word', open.map(conflictLine)],
    ['Conflicts in which more sources agree than differ', outvoted.map(conflictLine)],
    ['Price lists that leave out what the standard list has', checks.holes.map(findingLine)],
    [`Models that the book does not have, of ${coverage.named} that the sources name`, coverage.absent.map(findingLine)],
    [
      'Prices of a kind that is not read',
      unread.filter(({ names }) => names.length > 0).map(({ source, names }) => `${source}: ${names.join(', ')}`),
    ],
  ]
  return sections.map(([title, lines]) => sectionOf(title, lines, limit)).join('\n')
}

const sectionOf = (title: string, lines: readonly string[], limit: number): string => {
  const shown = lines.slice(0, limit).map((line) => `  ${line}\n`)
  const hidden = lines.slice(limit)
  const rest = hidden.length > 0 ? `  … and ${hidden.length} more (--all shows them): ${countsOf(hidden)}\n` : ''
  return `${title}: ${lines.length}\n${shown.join('')}${rest}`
}

/** How many lines each provider has, which every line of a long section begins with. */
const countsOf = (lines: readonly string[]): string =>
  [...Map.groupBy(lines, (line) => line.split('/')[0])]
    .sort(([, left], [, right]) => right.length - left.length)
    .map(([provider, { length }]) => `${provider} ${length}`)
    .join(', ')

const findingLine = ({ where, what }: { where: string; what: string }): string => `${where}: ${what}`

const changeLine = (change: Change): string => {
  switch (change.kind) {
    case 'model':
      return `${change.where}: new`
    case 'period':
      return `${change.where}: from ${change.from} ${change.rates.join(', ')}`
    case 'filled':
      return `${change.where}: also ${change.rates.join(', ')}`
    case 'confidence':
      return `${change.where}: known in another way`
    case 'past':
      return `${change.where}: the sources have another history from ${change.from} on; what is written stays`
    default:
      return change satisfies never
  }
}

const conflictLine = ({ provider, model, from, slot, chosen, votes }: Conflict): string => {
  const { list, threshold, unit } = partsOf(slot)
  const place = [from && `from ${from}`, list, threshold > 0 && `>${threshold}`, unit].filter(Boolean).join(' ')
  return `${provider}/${model} ${place}: $${chosen} of ${votes.map(({ value, sources }) => `$${value} (${sources.join(', ')})`).join(' · ')}`
}
