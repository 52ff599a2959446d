/** How a tally is printed: whole, from millionths, or from pico-dollars as dollars or cents. All exactly. */
export type MetricScale = 'count' | 'millionths' | 'usd' | 'cents'

export interface MetricInfo {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly LabelName[]
  readonly scale?: MetricScale
}

/**
 * The names that a label may have. Runs, sessions, users and requests are none of them, and never will be: each value of a label
 * is a series that Prometheus keeps for weeks.
 */
export const labelNames = [
  'basis',
  'bound',
  'budget',
  'code',
  'direction',
  'error',
  'flag',
  'label',
  'method',
  'model',
  'node',
  'notifier',
  'outcome',
  'provider',
  'reason',
  'release',
  'route',
  'severity',
  'status',
  'stop_reason',
  'token_type',
  'tool',
  'unit',
  'value',
  'version',
  'window',
  'book',
] as const
export type LabelName = (typeof labelNames)[number]

const counter = (help: string, labels: readonly LabelName[] = [], scale: MetricScale = 'count') =>
  ({ type: 'counter', help, labels, scale }) as const
const gauge = (help: string, labels: readonly LabelName[] = [], scale: MetricScale = 'count') =>
  ({ type: 'gauge', help, labels, scale }) as const

/** Every metric there is. docs/reference/metrics.md has a line for each. */
export const metricList = {
  ai_token_input_total: counter('Tokens that went into a model, cached ones included.', ['model']),
  ai_token_output_total: counter('Tokens that came out of a model, reasoning included.', ['model']),
  ai_inference_cost_cents_total: counter('What the calls of a model cost, in US cents.', ['model'], 'cents'),

  agent_run_total: counter('Runs that ended, by status and stop reason.', ['status', 'stop_reason', 'release']),
  agent_llm_cost_usd_total: counter('What model calls cost, in US dollars.', ['model', 'release'], 'usd'),
  agent_tool_cost_usd_total: counter('What tool calls cost, in US dollars.', ['tool', 'release'], 'usd'),
  agent_token_usage_total: counter('Tokens by whether they went in (prompt) or came out (completion).', ['model', 'token_type', 'release']),
  agent_run_cost_usd: { type: 'histogram', help: 'What ended runs cost, in US dollars.', labels: ['release'], scale: 'usd' },
  agent_budget_breach_total: counter('Runs that cost more than their own budget, or were stopped by one.', ['release']),

  taximeter_build_info: gauge('Always 1; the labels say what runs.', ['version', 'node', 'book']),
  taximeter_tokens_total: counter('What was used, by unit; the units never overlap.', ['model', 'unit']),
  taximeter_calls_total: counter('Counted calls, by how sure their charge is.', ['basis']),
  taximeter_cost_usd_total: counter('What counted calls cost, by how sure that is, in US dollars.', ['basis'], 'usd'),
  taximeter_coverage_ratio: gauge('The share of counted calls whose charge is reported or computed.', [], 'millionths'),
  taximeter_unpriced_calls_total: counter('Calls of a model that could not be priced; their cost is not in any total.', ['model']),
  taximeter_failed_calls_total: counter('Model calls that failed or were broken off since the start, by what failed.', [
    'provider',
    'error',
  ]),
  taximeter_reported_cost_usd_total: counter(
    'What providers reported for calls that the price book priced as well, since the start.',
    ['provider'],
    'usd',
  ),
  taximeter_recomputed_cost_usd_total: counter(
    'What the price book makes of the same calls; the difference is the drift.',
    ['provider'],
    'usd',
  ),

  taximeter_ingest_events_total: counter('Events that came in since the start, by outcome.', ['outcome']),
  taximeter_ingest_rejected_total: counter('Events that were rejected since the start, by reason.', ['reason']),
  taximeter_ingest_failed_batches_total: counter(
    'Batches that the ledger did not take since the start; none of their events was acknowledged.',
  ),
  taximeter_ingest_in_flight: gauge('Batches that the ledger is taking now.'),
  taximeter_last_event_timestamp_seconds: gauge('When the last call was counted; 0 if none was since the start.', [], 'millionths'),
  taximeter_usage_missing_total: counter('Answers without usage since the start; they count no tokens.'),
  taximeter_usage_flags_total: counter("What was odd about providers' numbers since the start, by flag.", ['flag']),

  taximeter_budget_limit_usd: gauge('The limit of a budget.', ['budget', 'value'], 'usd'),
  taximeter_budget_spent_usd: gauge('What is spent of a budget in its present window.', ['budget', 'value'], 'usd'),
  taximeter_budget_reserved_usd: gauge('What calls that are under way have set aside of a budget.', ['budget', 'value'], 'usd'),
  taximeter_budget_burn_usd_per_hour: gauge('What was spent of a budget in the last 60 minutes.', ['budget', 'value'], 'usd'),
  taximeter_budget_limit_tokens: gauge('The limit of a budget in tokens.', ['budget', 'value']),
  taximeter_budget_spent_tokens: gauge('Tokens used of a budget in its present window.', ['budget', 'value']),
  taximeter_budget_reserved_tokens: gauge('Tokens that calls under way have set aside of a budget.', ['budget', 'value']),
  taximeter_budget_window_seconds: gauge('How long the window of a budget is; absent where it never begins anew.', ['budget']),
  taximeter_budget_used_ratio: gauge(
    'Spent ÷ limit of the fullest allowance of a budget, whoever it belongs to.',
    ['budget'],
    'millionths',
  ),

  taximeter_forecast_usd: gauge(
    'What everything will have cost at the end of the day, week or month; four times in five it lies from low to high.',
    ['window', 'bound'],
    'usd',
  ),
  taximeter_budget_forecast_usd: gauge(
    'What will be spent of a budget at the end of its window; of one that rolls, a whole window from now.',
    ['budget', 'value', 'bound'],
    'usd',
  ),
  taximeter_budget_exhausts_timestamp_seconds: gauge(
    'When a budget is expected to be spent; absent where it lasts.',
    ['budget', 'value'],
    'millionths',
  ),

  taximeter_alerts_firing: gauge('Alerts that are firing now.', ['severity']),
  taximeter_alert_rounds_total: counter('Rounds in which all rules of alerts were evaluated since the start.'),
  taximeter_alert_round_seconds: gauge('How long the last round took.', [], 'millionths'),
  taximeter_alert_rule_failures_total: counter('Evaluations of a rule since the start that failed.'),
  taximeter_alert_rules_late: gauge('Rules that the last round did not wait for: what they look at is still being worked out.'),
  taximeter_notifier_messages_total: counter('Messages to a notifier since the start, by what became of them.', ['notifier', 'outcome']),
  taximeter_notifier_waiting_alerts: gauge('Alerts that a notifier has not taken yet.', ['notifier']),

  taximeter_budget_decisions_total: counter('Calls that budgets decided about since the start, by outcome.', ['outcome']),
  taximeter_budget_crossings_total: counter('Thresholds of budgets that were passed since the start.'),
  taximeter_budget_breaches_total: counter('Budgets that passed their limit since the start.'),
  taximeter_budget_expired_total: counter('Reservations since the start that nobody settled.'),
  taximeter_budget_unavailable_total: counter('Times since the start at which nobody could say what is left of a budget.'),

  taximeter_gateway_requests_total: counter('Requests to the gateway since the start, by how they ended.', ['outcome']),
  taximeter_gateway_in_flight: gauge('Requests that the gateway is passing on now.'),
  taximeter_gateway_bytes_total: counter('Bytes of bodies sent to upstreams (up) and received from them (down) since the start.', [
    'direction',
  ]),
  taximeter_gateway_events_total: counter("The gateway's events since the start, by what became of them.", ['outcome']),
  taximeter_gateway_waiting_events: gauge('Events in memory that the ledger has not taken yet.'),
  taximeter_gateway_spool_bytes: gauge('Bytes of events that wait on disk.'),
  taximeter_gateway_ledger_failing: gauge('1 while the ledger takes none of its events.'),

  taximeter_http_requests_total: counter('Requests answered since the start, by route and status.', ['method', 'route', 'code']),
  taximeter_stream_clients: gauge('Live streams that are open.'),
  taximeter_label_overflow_total: counter('Times that a label value past the maximum was counted as "other", by label.', ['label']),

  process_start_time_seconds: gauge('When the process started.', [], 'millionths'),
  process_cpu_seconds_total: counter('Processor time that the process used.', [], 'millionths'),
  process_resident_memory_bytes: gauge('Memory that the process holds.'),
} as const satisfies Record<string, MetricInfo>

export type MetricName = keyof typeof metricList

/** Dollars, as text so that they are exact and printed as they are. */
export const runCostBuckets = [
  '0.001',
  '0.002',
  '0.003',
  '0.005',
  '0.01',
  '0.02',
  '0.03',
  '0.05',
  '0.1',
  '0.2',
  '0.3',
  '0.5',
  '1',
  '2',
  '3',
] as const
