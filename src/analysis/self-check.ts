/** What the ledger and the configuration say of how a project watches its costs. Counts are of the last seven days. */
export interface SelfCheckFacts {
  /** The day on which those begin. */
  readonly since: string
  readonly calls: number
  readonly callsWithoutRun: number
  readonly callsWithoutAgentOrTask: number
  readonly callsWithoutRelease: number
  /** Milliseconds are known of some calls. */
  readonly hasDurations: boolean
  readonly toolCalls: number
  readonly toolCallsUnpriced: number
  readonly unpricedTools: readonly string[]
  /** Models with calls that have no price, as "provider/model". */
  readonly unpricedModels: readonly string[]
  /** Budgets that somebody has chosen, the default warning not among them. */
  readonly budgets: number
  readonly hasTailRule: boolean
  readonly hasBurnRule: boolean
  /** Attributes that are labels of metrics or segments of reports, with their different values, and how many of those look like ids. */
  readonly attributes: readonly { readonly name: string; readonly values: number; readonly idLike: number }[]
}

export interface SelfCheckPoint {
  readonly id: (typeof selfCheckIds)[number]
  readonly title: string
  readonly isDone: boolean
  /** What was found. */
  readonly says: string
  /** What to add; absent when it is done. */
  readonly add?: string
}

export interface SelfCheck {
  readonly done: number
  readonly of: number
  readonly points: readonly SelfCheckPoint[]
}

export const selfCheckIds = ['runs', 'events', 'tools', 'releases', 'models', 'budgets', 'tail', 'burn', 'labels'] as const

/** A point holds when so much of what was called is as it should be: a few stray calls are no gap. */
const shareMin = 0.95
/** Different values of one attribute; past it a report is a list, and a metric has too many series. */
const valuesMax = 200
/** So many values that look like ids are a habit and no accident. */
const idsMax = 5

/** The nine points of a project's cost monitoring. */
export const selfCheckOf = (facts: SelfCheckFacts): SelfCheck => {
  const points = [runs, events, tools, releases, models, budgets, tail, burn, labels].map((point) => point(facts))
  return { done: points.filter(({ isDone }) => isDone).length, of: points.length, points }
}

type Point = (facts: SelfCheckFacts) => SelfCheckPoint

const pointOf = (id: SelfCheckPoint['id'], title: string, isDone: boolean, says: string, add: string): SelfCheckPoint =>
  isDone ? { id, title, isDone, says } : { id, title, isDone, says, add }

const percent = (part: number, whole: number): string => `${Math.floor((part * 100) / whole)} %`
const isMost = (part: number, whole: number): boolean => whole > 0 && part >= whole * shareMin
const ofCalls = (part: number, whole: number, what: string): string =>
  whole === 0 ? 'No call was recorded in the last seven days.' : `${percent(part, whole)} of ${whole} calls ${what}.`

const runs: Point = ({ calls, callsWithoutRun }) =>
  pointOf(
    'runs',
    'Calls belong to runs',
    isMost(calls - callsWithoutRun, calls),
    ofCalls(calls - callsWithoutRun, calls, 'name their run'),
    "await tracker.run({ task: 'refund' }, async (run) => { … })    or the header x-taximeter-run",
  )

const events: Point = ({ calls, callsWithoutAgentOrTask, hasDurations }) =>
  pointOf(
    'events',
    'Events are complete',
    isMost(calls - callsWithoutAgentOrTask, calls) && hasDurations,
    `${ofCalls(calls - callsWithoutAgentOrTask, calls, 'name their agent and task')}${calls > 0 && !hasDurations ? ' None says how long it took.' : ''}`,
    "new TokenTracker({ url, agent: 'support-bot' }), and a task for each run    or the headers x-taximeter-agent and x-taximeter-task",
  )

/** Names shown of those that lack something. */
const namedMax = 5

const tools: Point = ({ toolCalls, toolCallsUnpriced, unpricedTools }) =>
  pointOf(
    'tools',
    'Tools have costs',
    isMost(toolCalls - toolCallsUnpriced, toolCalls),
    toolCalls === 0
      ? 'No use of a tool was recorded in the last seven days.'
      : `${percent(toolCalls - toolCallsUnpriced, toolCalls)} of ${toolCalls} uses of tools have a cost.`,
    toolCalls === 0
      ? "await run.tool('web-search', { costUsd: '0.005' }, () => search(query))"
      : `tools: { ${unpricedTools
          .slice(0, namedMax)
          .map((tool) => `${JSON.stringify(tool)}: '0.005'`)
          .join(', ')} } in taximeter.yaml, for what is used from then on`,
  )

const releases: Point = ({ calls, callsWithoutRelease }) =>
  pointOf(
    'releases',
    'Calls name their release',
    isMost(calls - callsWithoutRelease, calls),
    ofCalls(calls - callsWithoutRelease, calls, 'name their release'),
    "new TokenTracker({ url, agent, release: '2026-11-22' })    or the header x-taximeter-release",
  )

const models: Point = ({ calls, unpricedModels, since }) =>
  pointOf(
    'models',
    'Every model has a price',
    calls > 0 && unpricedModels.length === 0,
    calls === 0
      ? 'No call was recorded in the last seven days.'
      : unpricedModels.length === 0
        ? 'Every model that was called has one.'
        : `Calls of ${unpricedModels.slice(0, namedMax).join(', ')}${unpricedModels.length > namedMax ? ' and others' : ''} have none, and are in no total.`,
    calls === 0
      ? 'new OpenAI({ fetch: tracker.fetch })    or the gateway as base URL'
      : `prices: { models: { ${unpricedModels
          .slice(0, namedMax)
          .map((model) => `${JSON.stringify(model)}: { rates: { input: 1, output: 4 } }`)
          .join(', ')} } } in taximeter.yaml, with what it costs, then taximeter reprice --from ${since} --who me --why prices-added`,
  )

const budgets: Point = ({ budgets: count }) =>
  pointOf(
    'budgets',
    'Budgets are set',
    count > 0,
    count > 0 ? `${count} ${count === 1 ? 'budget is' : 'budgets are'} set.` : 'Only the default daily warning is there.',
    'budgets: [{ name: month, limit: $500, per: month }] in taximeter.yaml',
  )

const tail: Point = ({ hasTailRule }) =>
  pointOf(
    'tail',
    'An alert watches the dearest runs (p95)',
    hasTailRule,
    hasTailRule ? 'A rule watches a high percentile of run cost.' : 'No rule watches a high percentile of run cost.',
    "- { name: dearer-tail, kind: change, measure: costP95, window: 7d, rise: '75%', by: task, runsMin: 200 } under alerts in taximeter.yaml",
  )

const burn: Point = ({ hasBurnRule }) =>
  pointOf(
    'burn',
    'An alert watches how fast budgets burn',
    hasBurnRule,
    hasBurnRule ? 'A rule watches the burn rate.' : 'No rule watches the burn rate.',
    '- { name: budget-burn, kind: burn, severity: critical, floorUsd: 5 } under alerts in taximeter.yaml',
  )

const labels: Point = ({ attributes }) => {
  const wrong = attributes.filter(({ values, idLike }) => values > valuesMax || idLike > idsMax)
  const [worst] = wrong
  return pointOf(
    'labels',
    'No label has too many values',
    wrong.length === 0,
    wrong.length === 0
      ? `No attribute has more than ${valuesMax} values.`
      : wrong
          .map(({ name, idLike }) =>
            idLike > idsMax ? `${idLike} values of ${name} look like ids.` : `${name} has more than ${valuesMax} values.`,
          )
          .join(' '),
    `a name that stays the same from run to run for ${worst?.name ?? 'it'}; ids belong in run, session, user or tags`,
  )
}

/** A UUID, a long number, or a long hexadecimal text: nothing that a person would name a task or a release. */
export const looksLikeId = (value: string): boolean =>
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}/i.test(value) || /^(?=.*\d)[0-9a-f]{24,}$/i.test(value) || /\d{9,}/.test(value)
