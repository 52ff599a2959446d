/**
 * Everything that can be counted and has a price: the one list.
 *
 * `side` says what a token belongs to: `prompt` is all that went into the model, `completion` all that came out; `other` is not
 * a token. `per` is the quantity that a rate in the price book is quoted for ("USD per million tokens", "USD per thousand
 * searches", "USD per hour of a machine"), so that no rate carries a unit of its own.
 * `pricedAs` names the units whose rate applies where a model lists none of its own, the first that has one: a provider that has
 * no price for reading its cache charges the read as ordinary input. A unit without `pricedAs` and without a rate is unpriced, never free.
 */
export interface UnitInfo {
  readonly side: 'prompt' | 'completion' | 'other'
  readonly per: number
  readonly pricedAs?: readonly Unit[]
  readonly title: string
}

/** Ledgers keep a unit by its place in this list: a new one goes to the end. */
export const unitNames = [
  'input',
  'cache_read',
  'cache_write_5m',
  'cache_write_1h',
  'input_audio',
  'cache_read_audio',
  'input_image',
  'cache_read_image',
  'output',
  'reasoning',
  'output_audio',
  'output_image',
  'web_search',
  'file_search',
  'search_unit',
  'image',
  'page',
  'second',
  'character',
  'request',
  'machine_ms',
  'cache_write_12h',
  'x_search',
  'document_search',
  'code_execution',
] as const

export type Unit = (typeof unitNames)[number]

const million = 1_000_000
const thousand = 1_000

export const units: Readonly<Record<Unit, UnitInfo>> = {
  input: { side: 'prompt', per: million, title: 'Input tokens, read for the first time' },
  cache_read: { side: 'prompt', per: million, pricedAs: ['input'], title: 'Input tokens read from a prompt cache' },
  cache_write_5m: { side: 'prompt', per: million, pricedAs: ['input'], title: 'Input tokens written to a cache with the default lifetime' },
  cache_write_1h: { side: 'prompt', per: million, title: 'Input tokens written to a cache for one hour' },
  input_audio: { side: 'prompt', per: million, pricedAs: ['input'], title: 'Audio input tokens' },
  // Where sound costs what text does, cached sound costs what cached text does.
  cache_read_audio: {
    side: 'prompt',
    per: million,
    pricedAs: ['input_audio', 'cache_read', 'input'],
    title: 'Audio input tokens read from a cache',
  },
  input_image: { side: 'prompt', per: million, pricedAs: ['input'], title: 'Image input tokens' },
  cache_read_image: { side: 'prompt', per: million, pricedAs: ['cache_read', 'input'], title: 'Image input tokens read from a cache' },
  output: { side: 'completion', per: million, title: 'Output tokens that can be read' },
  reasoning: { side: 'completion', per: million, pricedAs: ['output'], title: 'Output tokens spent on reasoning' },
  output_audio: { side: 'completion', per: million, title: 'Audio output tokens' },
  output_image: { side: 'completion', per: million, title: 'Image output tokens' },
  web_search: { side: 'other', per: thousand, title: 'Web searches made by the provider' },
  file_search: { side: 'other', per: thousand, title: 'File searches made by the provider' },
  search_unit: { side: 'other', per: thousand, title: 'Search units (rerank)' },
  image: { side: 'other', per: 1, title: 'Images made' },
  page: { side: 'other', per: thousand, title: 'Document pages read' },
  second: { side: 'other', per: 3600, title: 'Seconds of audio or video, priced per hour' },
  character: { side: 'other', per: million, title: 'Characters spoken' },
  request: { side: 'other', per: thousand, title: 'Requests' },
  machine_ms: { side: 'other', per: 3_600_000, title: 'Milliseconds of a machine, priced per hour' },
  cache_write_12h: { side: 'prompt', per: million, title: 'Input tokens written to a cache for twelve hours' },
  x_search: { side: 'other', per: thousand, title: 'Searches of posts on X made by the provider' },
  document_search: { side: 'other', per: thousand, title: 'Searches of attached documents made by the provider' },
  code_execution: { side: 'other', per: thousand, title: 'Programs run by the provider' },
}

const known: ReadonlySet<string> = new Set(unitNames)

export const isUnit = (name: string): name is Unit => known.has(name)

export const promptUnits: readonly Unit[] = unitNames.filter((unit) => units[unit].side === 'prompt')
export const completionUnits: readonly Unit[] = unitNames.filter((unit) => units[unit].side === 'completion')
export const tokenUnits: readonly Unit[] = [...promptUnits, ...completionUnits]
