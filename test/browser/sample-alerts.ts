import type { AlertsAnswer } from '../../src/server/api.ts'

/** One alert of each state, as a server that watches rules would tell of them. */
export const sampleAlerts = (now: number): AlertsAnswer => ({
  alerts: [
    {
      id: 'a-1',
      rule: 'refund-cost',
      state: 'firing',
      severity: 'critical',
      message: 'A run of “refund” costs $0.0476, 30 % more than the release before. Prompt tokens of gpt-4.1 moved.',
      segment: { task: 'refund' },
      value: '0.0476',
      threshold: '0.04',
      startedAt: new Date(now - 3_600_000).toISOString(),
      firedAt: new Date(now - 3_000_000).toISOString(),
      query: 'measure=costPerRun&by=release&where=task:refund&last=7d',
    },
    {
      id: 'a-2',
      rule: 'unpriced-model',
      state: 'pending',
      severity: 'warning',
      message: 'Calls of acme-preview-1 have no price.',
      segment: { model: 'acme-preview-1' },
      startedAt: new Date(now - 600_000).toISOString(),
    },
    {
      id: 'a-3',
      rule: 'burn-rate',
      state: 'resolved',
      severity: 'warning',
      message: 'The budget “support” burned twice as fast as it lasts.',
      segment: { team: 'cx' },
      startedAt: new Date(now - 9 * 86_400_000).toISOString(),
      resolvedAt: new Date(now - 8.9 * 86_400_000).toISOString(),
    },
  ],
})

/** A few rules, because each is tried on a whole month when somebody looks at them. */
export const sampleRules = [
  { name: 'unpriced', kind: 'unpriced', floorUsd: 0 },
  { name: 'dearer-release', kind: 'release', by: 'task' },
] as const
