import { type Period, parsePeriod } from './period.ts'

/**
 * Everything that a page shows is in its address. This is the address as text: one value per name, `where` may repeat.
 * `last`, `from`, `to`, `tz` and `where` go along from page to page; the others belong to the page.
 */
export interface Search {
  readonly last?: string
  readonly from?: string
  readonly to?: string
  readonly tz?: string
  readonly where?: readonly string[]
  readonly measure?: string
  readonly by?: string
  readonly interval?: string
  readonly top?: string
  readonly sort?: string
  readonly after?: string
  readonly q?: string
  readonly provider?: string
  readonly a?: string
  readonly b?: string
  readonly call?: string
  readonly table?: string
  readonly client?: string
}

export type SearchName = keyof Search

const names: ReadonlySet<string> = new Set<SearchName>([
  'last',
  'from',
  'to',
  'tz',
  'where',
  'measure',
  'by',
  'interval',
  'top',
  'sort',
  'after',
  'q',
  'provider',
  'a',
  'b',
  'call',
  'table',
  'client',
])

/** A parameter that is `undefined` is taken out of the address. */
export type SearchPatch = { readonly [name in SearchName]?: Search[name] | undefined }

/** An attribute is one of these values; `null` stands for "has none". */
export interface Filter {
  readonly by: string
  readonly values: readonly (string | null)[]
  readonly isNot: boolean
}

export interface View {
  readonly search: Search
  readonly period: Period
  readonly zone: string
  /** The address names the zone; otherwise it is the viewer's. */
  readonly isZoneNamed: boolean
  readonly filters: readonly Filter[]
  /** What could not be understood, in sentences. */
  readonly complaints: readonly string[]
}

const searchCharsMax = 4_000

/** "?last=7d&where=task:refund" → its parameters. Unknown names are dropped. */
export const parseSearch = (text: string): Search => {
  const search: Record<string, string | string[]> = {}
  for (const [name, value] of new URLSearchParams(text.slice(0, searchCharsMax))) {
    if (!names.has(name) || value === '') continue
    if (name === 'where') search.where = [...(Array.isArray(search.where) ? search.where : []), value]
    else search[name] ??= value
  }
  return search as Search
}

/** The parameters → "?last=7d&where=task:refund", as short and as readable as an address may be. */
export const searchText = (search: SearchPatch): string => {
  const pairs: string[] = []
  for (const [name, value] of Object.entries(search) as [string, string | readonly string[] | undefined][]) {
    if (value === undefined || value === '') continue
    for (const each of typeof value === 'string' ? [value] : value) pairs.push(`${name}=${readable(encodeURIComponent(each))}`)
  }
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

const readable = (text: string): string => text.replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%2F', '/')

export const mergeSearch = (search: Search, patch: SearchPatch): Search => {
  const merged: Record<string, unknown> = { ...search, ...patch }
  for (const [name, value] of Object.entries(merged)) {
    if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) delete merged[name]
  }
  return merged as Search
}

/** What goes along from one page to another. */
export const carried = (search: Search): Search => {
  const { last, from, to, tz, where } = search
  return mergeSearch({}, { last, from, to, tz, where })
}

export const viewOf = (search: Search, viewerZone: string): View => {
  const complaints: string[] = []
  let zone = search.tz ?? viewerZone
  if (!isZone(zone)) {
    complaints.push(`"${zone.slice(0, 40)}" is not a time zone. Showing ${viewerZone}.`)
    zone = viewerZone
  }
  let period = parsePeriod(search)
  if (typeof period === 'string') {
    complaints.push(`${period} Showing the last 7 days.`)
    period = parsePeriod({}) as Period
  }
  const filters: Filter[] = []
  for (const text of search.where ?? []) {
    const filter = parseFilter(text)
    if (filter === undefined) complaints.push(`"${text.slice(0, 60)}" is not a filter. Expected something like task:refund.`)
    else filters.push(filter)
  }
  return { search, period, zone, isZoneNamed: search.tz === zone, filters, complaints }
}

const isZone = (zone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/** "task:refund", "model:a,b", "-team:" → filter. The API reads the same form. */
export const parseFilter = (text: string): Filter | undefined => {
  const match = /^(-?)([\w.-]+):(.*)$/s.exec(text)
  if (match === null) return undefined
  const values = (match[3] ?? '').split(',').map((value) => (value === '' ? null : decoded(value)))
  return { by: match[2] ?? '', values, isNot: match[1] === '-' }
}

const decoded = (value: string): string => {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

export const filterText = ({ by, values, isNot }: Filter): string =>
  `${isNot ? '-' : ''}${by}:${values.map((value) => (value === null ? '' : encoded(value))).join(',')}`

/** Only what would be misread is encoded, so that names stay readable in the address. */
const encoded = (value: string): string => value.replaceAll('%', '%25').replaceAll(',', '%2C')

/** The filters of a view with one attribute narrowed to a value, as the `where` of an address. */
export const whereWith = (filters: readonly Filter[], by: string, value: string | null): readonly string[] => [
  ...filters.filter((filter) => filter.by !== by).map(filterText),
  filterText({ by, values: [value], isNot: false }),
]

export const whereWithout = (filters: readonly Filter[], index: number): readonly string[] =>
  filters.filter((_, position) => position !== index).map(filterText)
