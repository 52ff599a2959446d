/** Who works in the sample company: agents, their tasks and teams, the models and tools that they use, and what was released when. */

export interface ModelPlan {
  readonly provider: string
  readonly model: string
  readonly weight: number
  readonly caches: boolean
  readonly reasons: boolean
  readonly latencyMs: number
  readonly msPerToken: number
}

export interface AgentPlan {
  readonly name: string
  readonly team: string
  readonly weight: number
  /** Median tokens of a first prompt and of a completion. */
  readonly prompt: number
  readonly completion: number
  readonly tasks: readonly { readonly name: string; readonly weight: number; readonly steps: number; readonly subAgent?: string }[]
  readonly models: readonly ModelPlan[]
  readonly tools: readonly string[]
}

const model = (provider: string, name: string, weight: number, rest: Partial<ModelPlan> = {}): ModelPlan => ({
  provider,
  model: name,
  weight,
  caches: true,
  reasons: false,
  latencyMs: 620,
  msPerToken: 9,
  ...rest,
})

export const agentPlans: readonly AgentPlan[] = [
  {
    name: 'support-bot',
    team: 'cx',
    weight: 40,
    prompt: 2_600,
    completion: 260,
    tasks: [
      { name: 'refund', weight: 5, steps: 5 },
      { name: 'order-status', weight: 8, steps: 3 },
      { name: 'escalation', weight: 1, steps: 8 },
    ],
    models: [model('openai', 'gpt-4.1', 6), model('openai', 'gpt-4.1-mini', 4, { latencyMs: 380 })],
    tools: ['order-lookup', 'knowledge-base', 'payments-api'],
  },
  {
    name: 'research-assistant',
    team: 'research',
    weight: 9,
    prompt: 6_200,
    completion: 900,
    tasks: [
      { name: 'market-brief', weight: 3, steps: 7, subAgent: 'web-reader' },
      { name: 'deep-research', weight: 2, steps: 13, subAgent: 'web-reader' },
    ],
    models: [
      model('anthropic', 'claude-opus-4-5', 3, { reasons: true, latencyMs: 1_400, msPerToken: 16 }),
      model('anthropic', 'claude-sonnet-4-5', 5, { latencyMs: 900 }),
    ],
    tools: ['web-search', 'web-fetch', 'vector-search'],
  },
  {
    name: 'web-reader',
    team: 'research',
    weight: 2,
    prompt: 3_800,
    completion: 220,
    tasks: [{ name: 'read-page', weight: 1, steps: 4 }],
    models: [model('google', 'gemini-2.5-flash', 5, { latencyMs: 420, msPerToken: 4 }), model('anthropic', 'claude-haiku-4-5', 2)],
    tools: ['web-fetch'],
  },
  {
    name: 'code-reviewer',
    team: 'platform',
    weight: 16,
    prompt: 7_400,
    completion: 640,
    tasks: [
      { name: 'pr-review', weight: 6, steps: 4 },
      { name: 'test-repair', weight: 2, steps: 11 },
      { name: 'dependency-bump', weight: 2, steps: 3 },
    ],
    models: [
      model('anthropic', 'claude-sonnet-4-5', 6, { latencyMs: 950 }),
      model('openai', 'gpt-5-mini', 3, { reasons: true }),
      model('ollama', 'qwen3-coder:30b', 1, { caches: false, latencyMs: 300, msPerToken: 22 }),
    ],
    tools: ['repo-search', 'run-tests', 'static-analysis'],
  },
  {
    name: 'invoice-parser',
    team: 'finance',
    weight: 22,
    prompt: 1_900,
    completion: 180,
    tasks: [
      { name: 'extract-fields', weight: 7, steps: 2 },
      { name: 'match-order', weight: 3, steps: 3 },
    ],
    models: [model('google', 'gemini-2.5-flash', 7, { latencyMs: 380, msPerToken: 4 }), model('mistral', 'mistral-small-2506', 2)],
    tools: ['ocr', 'erp-lookup'],
  },
  {
    name: 'sales-outreach',
    team: 'growth',
    weight: 11,
    prompt: 1_500,
    completion: 420,
    tasks: [
      { name: 'draft-email', weight: 5, steps: 2 },
      { name: 'enrich-lead', weight: 4, steps: 4 },
    ],
    models: [model('openai', 'gpt-4o-mini', 6, { latencyMs: 350 }), model('deepseek', 'deepseek-v4-flash', 3)],
    tools: ['crm-lookup', 'web-search'],
  },
  {
    name: 'nightly-analyst',
    team: 'research',
    weight: 3,
    prompt: 9_500,
    completion: 1_200,
    tasks: [{ name: 'kpi-report', weight: 1, steps: 9 }],
    // The in-house preview has no public price: its calls are unpriced, and every total that holds them says so.
    models: [model('openai', 'gpt-5', 5, { reasons: true, latencyMs: 1_500 }), model('acme', 'acme-preview-1', 1, { caches: false })],
    tools: ['warehouse-sql', 'chart-render'],
  },
]

/** Tools cost money too; `chart-render` has no price of its own and is shown as unpriced. */
export const toolPlans: Readonly<Record<string, { readonly costUsd?: string; readonly latencyMs: number }>> = {
  'order-lookup': { costUsd: '0.0004', latencyMs: 90 },
  'knowledge-base': { costUsd: '0.0008', latencyMs: 140 },
  'payments-api': { costUsd: '0.002', latencyMs: 420 },
  'web-search': { costUsd: '0.005', latencyMs: 780 },
  'web-fetch': { costUsd: '0.0006', latencyMs: 950 },
  'vector-search': { costUsd: '0.0009', latencyMs: 120 },
  'repo-search': { costUsd: '0', latencyMs: 210 },
  'run-tests': { costUsd: '0.012', latencyMs: 14_000 },
  'static-analysis': { costUsd: '0.003', latencyMs: 4_200 },
  ocr: { costUsd: '0.0015', latencyMs: 1_100 },
  'erp-lookup': { costUsd: '0.0005', latencyMs: 260 },
  'crm-lookup': { costUsd: '0.0005', latencyMs: 180 },
  'warehouse-sql': { costUsd: '0.004', latencyMs: 2_600 },
  'chart-render': { latencyMs: 600 },
}

const dayMs = 86_400_000

export const releasePlan = {
  regression: { release: '2.8.0', task: 'refund', factor: 2.4 },
  /** Youngest first: how long ago each version of an agent was released. */
  byAgent: {
    'support-bot': [
      ['2.8.0', 3.6 * dayMs],
      ['2.7.1', 13 * dayMs],
      ['2.7.0', 90 * dayMs],
    ],
    'code-reviewer': [
      ['1.14.0', 7 * dayMs],
      ['1.13.2', 90 * dayMs],
    ],
  } as Readonly<Record<string, readonly (readonly [string, number])[]>>,
  others: '2026.11',
}

export const releaseAt = (agent: string, ageMs: number): string => {
  const releases = releasePlan.byAgent[agent]
  if (releases === undefined) return releasePlan.others
  return releases.find(([, releasedAgo]) => ageMs < releasedAgo)?.[0] ?? releasePlan.others
}

export const teamUsers = (team: string): readonly string[] => Array.from({ length: 24 }, (_, index) => `${team}-user-${index + 1}`)
