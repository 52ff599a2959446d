import { attributes } from '../../state/measures.ts'
import { filterText } from '../../state/view.ts'

const names: ReadonlySet<string> = new Set(attributes.map(({ name }) => name))

/** The segment of an alert as filters. What else it names (the budget, the share that was passed) is no attribute of a call. */
export const segmentFilters = (segment: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(segment)
    .filter(([by]) => names.has(by) || by.startsWith('tag.'))
    .map(([by, value]) => filterText({ by, values: [value], isNot: false }))
