/** The attributes that have a page of their own, and what is worth knowing about each of their values. */
export interface SegmentKind {
  readonly by: string
  readonly path: string
  readonly title: string
  readonly note: string
  /** What the whole page is about, besides the filters of the address. */
  readonly where: readonly string[]
  /** Shown beside the name. */
  readonly also?: string
  readonly measures: readonly string[]
  readonly figures: readonly string[]
  /** How one value is broken down on its own page. */
  readonly rankings: readonly string[]
  readonly stackedBy: string
}

export const segmentKinds = {
  agents: {
    by: 'agent',
    path: '/agents',
    title: 'Agents',
    note: 'Who spends, on what, and how well.',
    where: [],
    measures: ['cost', 'runs', 'costPerRun', 'costP95', 'tokensPerCompletion', 'efficiency', 'retries', 'errors', 'burnRatePerHour'],
    figures: [
      'cost',
      'runs',
      'costPerRun',
      'costP95',
      'tokensPerCompletion',
      'efficiency',
      'cacheHitRate',
      'retries',
      'errors',
      'burnRatePerHour',
    ],
    rankings: ['task', 'model', 'tool', 'release'],
    stackedBy: 'task',
  },
  tasks: {
    by: 'task',
    path: '/tasks',
    title: 'Tasks',
    note: 'What a piece of work costs.',
    where: [],
    measures: ['cost', 'runs', 'costPerRun', 'costP50', 'costP95', 'tokensPerRun', 'toolCostPerRun', 'retries', 'errors'],
    figures: [
      'cost',
      'runs',
      'costPerRun',
      'costP50',
      'costP95',
      'costP99',
      'tokensPerRun',
      'llmCostPerRun',
      'toolCostPerRun',
      'retries',
      'errors',
    ],
    rankings: ['agent', 'model', 'tool', 'stopReason'],
    stackedBy: 'model',
  },
  models: {
    by: 'model',
    path: '/models',
    title: 'Models',
    note: 'Which models are paid for, and what they give.',
    where: ['kind:llm'],
    also: 'provider',
    measures: [
      'llmCost',
      'llmCalls',
      'promptTokens',
      'completionTokens',
      'cacheHitRate',
      'tokensPerCompletion',
      'retries',
      'errors',
      'latencyP50',
      'latencyP95',
    ],
    figures: [
      'llmCost',
      'llmCalls',
      'promptTokens',
      'completionTokens',
      'cacheHitRate',
      'efficiency',
      'tokensPerCompletion',
      'retries',
      'errors',
      'latencyP95',
    ],
    rankings: ['agent', 'task', 'unit', 'basis'],
    stackedBy: 'unit',
  },
  tools: {
    by: 'tool',
    path: '/tools',
    title: 'Tools',
    note: 'Tools cost money too.',
    where: ['kind:tool'],
    measures: ['toolCost', 'toolCalls', 'runs', 'toolCostPerRun', 'retries', 'errors', 'latencyP50', 'latencyP95'],
    figures: ['toolCost', 'toolCalls', 'runs', 'toolCostPerRun', 'retries', 'errors', 'latencyP50', 'latencyP95'],
    rankings: ['agent', 'task', 'release', 'basis'],
    stackedBy: 'agent',
  },
  releases: {
    by: 'release',
    path: '/releases',
    title: 'Releases',
    note: 'What a new version changed.',
    where: [],
    also: 'agent',
    measures: ['cost', 'runs', 'costPerRun', 'costP95', 'tokensPerRun', 'toolCostPerRun', 'retries', 'errors'],
    figures: ['cost', 'runs', 'costPerRun', 'costP95', 'tokensPerRun', 'llmCostPerRun', 'toolCostPerRun', 'retries', 'errors'],
    rankings: ['agent', 'task', 'model', 'tool'],
    stackedBy: 'task',
  },
} as const satisfies Readonly<Record<string, SegmentKind>>
