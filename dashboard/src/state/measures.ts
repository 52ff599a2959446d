import { compact, count, dash, decimal, duration, exactUsd, percent, usd } from '../format/numbers.ts'

/** How a measure is written and whether its parts add up to the whole (a bar can be stacked) or not (a line has to do). */
export interface MeasureInfo {
  readonly name: string
  readonly title: string
  readonly form: 'usd' | 'count' | 'number' | 'share' | 'ms'
  readonly isSum: boolean
  /** What it means, for whoever wonders. */
  readonly about: string
}

const measure = (name: string, title: string, form: MeasureInfo['form'], isSum: boolean, about: string): MeasureInfo => ({
  name,
  title,
  form,
  isSum,
  about,
})

export const measures: readonly MeasureInfo[] = [
  measure('cost', 'Cost', 'usd', true, 'What model and tool calls of the period cost together.'),
  measure('llmCost', 'Model cost', 'usd', true, 'What model calls cost.'),
  measure('toolCost', 'Tool cost', 'usd', true, 'What tool calls cost.'),
  measure('runs', 'Runs', 'count', true, 'Runs that began in the period.'),
  measure('calls', 'Calls', 'count', true, 'Model and tool calls; a retry is a call of its own.'),
  measure('llmCalls', 'Model calls', 'count', true, 'Calls of models, retries included.'),
  measure('toolCalls', 'Tool calls', 'count', true, 'Calls of tools, retries included.'),
  measure('retries', 'Retries', 'count', true, 'Calls that repeat an earlier attempt.'),
  measure('errors', 'Errors', 'count', true, 'Calls that failed.'),
  measure('tokens', 'Tokens', 'count', true, 'Everything that went in and came out.'),
  measure('promptTokens', 'Prompt tokens', 'count', true, 'Everything that went into models, cached or not.'),
  measure('completionTokens', 'Completion tokens', 'count', true, 'Everything that came out of models, reasoning included.'),
  measure('costPerRun', 'Cost per run', 'usd', false, 'The cost of runs that began in the period, divided by their number.'),
  measure('llmCostPerRun', 'Model cost per run', 'usd', false, 'Model cost of runs, divided by their number.'),
  measure('toolCostPerRun', 'Tool cost per run', 'usd', false, 'Tool cost of runs, divided by their number.'),
  measure('tokensPerRun', 'Tokens per run', 'number', false, 'Tokens of runs, divided by their number.'),
  measure('costP50', 'Median run', 'usd', false, 'Half of the runs cost no more than this.'),
  measure('costP95', 'p95 run', 'usd', false, '95 of 100 runs cost no more than this.'),
  measure('costP99', 'p99 run', 'usd', false, '99 of 100 runs cost no more than this.'),
  measure('costPer1kRuns', 'Cost per 1,000 runs', 'usd', false, 'Cost per run, times a thousand.'),
  measure('tokensPerCompletion', 'Tokens per completion', 'number', false, 'Tokens of model calls, divided by their number.'),
  measure('efficiency', 'Efficiency', 'share', false, 'Completion tokens divided by prompt tokens.'),
  measure('cacheHitRate', 'Cache hits', 'share', false, 'The share of prompt tokens that were read from a cache.'),
  measure('burnRatePerHour', 'Burn rate', 'usd', false, 'Cost of the period, divided by its hours.'),
  measure('latencyP50', 'Median latency', 'ms', false, 'Half of the calls took no longer than this.'),
  measure('latencyP95', 'p95 latency', 'ms', false, '95 of 100 calls took no longer than this.'),
]

const byName: ReadonlyMap<string, MeasureInfo> = new Map(measures.map((info) => [info.name, info]))

/** A measure that this page has no words for is shown under its own name. */
export const measureInfo = (name: string): MeasureInfo =>
  byName.get(name) ?? measure(name, name.replace(/^tokens\./, '').replaceAll('_', ' '), 'count', name.startsWith('tokens.'), name)

export type Figure = string | number | null | undefined

/** A figure of the API as text. */
export const figureText = (info: MeasureInfo, value: Figure): string => {
  if (value === null || value === undefined) return dash
  switch (info.form) {
    case 'usd':
      return usd(String(value))
    case 'count':
      return compact(value)
    case 'number':
      return decimal(Number(value))
    case 'share':
      return percent(Number(value))
    case 'ms':
      return duration(Number(value))
    default:
      return info.form satisfies never
  }
}

/** The same with every digit, for a tooltip. */
export const exactFigure = (info: MeasureInfo, value: Figure): string => {
  if (value === null || value === undefined) return 'not defined: nothing to divide by'
  if (info.form === 'usd') return exactUsd(String(value))
  return info.form === 'count' ? count(value) : String(value)
}

/** What a person may break a question down by. Tags come as `tag.<key>`. */
export const attributes = [
  { name: 'agent', title: 'Agent', plural: 'Agents' },
  { name: 'task', title: 'Task', plural: 'Tasks' },
  { name: 'model', title: 'Model', plural: 'Models' },
  { name: 'provider', title: 'Provider', plural: 'Providers' },
  { name: 'tool', title: 'Tool', plural: 'Tools' },
  { name: 'release', title: 'Release', plural: 'Releases' },
  { name: 'team', title: 'Team', plural: 'Teams' },
  { name: 'environment', title: 'Environment', plural: 'Environments' },
  { name: 'kind', title: 'Kind', plural: 'Kinds' },
  { name: 'status', title: 'Status', plural: 'Statuses' },
  { name: 'stopReason', title: 'Stop reason', plural: 'Stop reasons' },
  { name: 'source', title: 'Source', plural: 'Sources' },
  { name: 'unit', title: 'Unit', plural: 'Units' },
  { name: 'basis', title: 'Basis', plural: 'Bases' },
  { name: 'session', title: 'Session', plural: 'Sessions' },
  { name: 'run', title: 'Run', plural: 'Runs' },
  { name: 'user', title: 'User', plural: 'Users' },
  { name: 'key', title: 'Client key', plural: 'Client keys' },
  { name: 'step', title: 'Step', plural: 'Steps' },
] as const

export const attributeTitle = (name: string): string =>
  attributes.find((attribute) => attribute.name === name)?.title ?? name.replace(/^tag\./, 'Tag ')

const absent: Readonly<Record<string, string>> = { model: 'tool calls', provider: 'tool calls', tool: 'model calls', unit: 'not by unit' }

/** A value of an attribute as it is shown. A call that has none says so, and what it is instead where that is known. */
export const valueText = (by: string, value: string | number | null | undefined): string =>
  value === null || value === undefined || value === '' ? (absent[by] ?? `no ${attributeTitle(by).toLowerCase()}`) : String(value)
