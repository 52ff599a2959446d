import { parseRule, type Rule } from './rule.ts'

/**
 * The rules that are on when none are configured: those that every fleet wants, with values that stay quiet until something is
 * wrong. `dailyUsd` is the daily budget that an agent's hour is measured against.
 */
export const defaultRules = (dailyUsd: number): readonly Rule[] =>
  [
    { name: 'budget-share', kind: 'budget', severity: 'warning', floorUsd: 0 },
    { name: 'budget-burn', kind: 'burn', severity: 'critical', floorUsd: 5 },
    { name: 'repeated-prompt', kind: 'repeat', times: 5, within: 'run', window: '1h', severity: 'warning', floorUsd: 0 },
    { name: 'unusual-hour', kind: 'baseline', by: 'task', severity: 'warning', floorUsd: 1 },
    { name: 'dearer-release', kind: 'release', by: 'task', severity: 'warning' },
    { name: 'dearer-tail', kind: 'change', measure: 'costP95', window: '7d', rise: '75%', by: 'task', runsMin: 200, severity: 'warning' },
    {
      name: 'tokens-per-task',
      kind: 'change',
      measure: 'tokensPerRun',
      window: '30d',
      rise: '30%',
      by: 'task',
      runsMin: 30,
      severity: 'warning',
    },
    ...(dailyUsd > 0
      ? [
          {
            name: 'agent-hour',
            kind: 'threshold',
            measure: 'cost',
            window: '1h',
            above: dailyUsd / 24,
            by: 'agent',
            quiet: '1d',
            severity: 'info',
            floorUsd: 1,
          },
        ]
      : []),
    {
      name: 'large-request',
      kind: 'request',
      tokensAbove: 8_000,
      timesUsual: 5,
      by: ['agent', 'model'],
      severity: 'info',
      floorUsd: 0.05,
    },
    { name: 'new-model', kind: 'new', attribute: 'model', severity: 'info', floorUsd: 0 },
    { name: 'unpriced', kind: 'unpriced', severity: 'warning', floorUsd: 0 },
    { name: 'low-coverage', kind: 'coverage', below: '90%', severity: 'warning', floorUsd: 0 },
  ].map((rule) => parseRule(rule, `default rule ${rule.name}`))
