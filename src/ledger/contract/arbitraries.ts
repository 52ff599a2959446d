import fc from 'fast-check'
import { callStatuses, type Entry, runStatuses, sources, stopReasons } from '../../core/event.ts'
import { picoUsd } from '../../core/money.ts'
import { type Breakdown, entryBreakdowns, type Filter, measureNames, type Question, segmentBreakdowns } from '../../core/question.ts'
import { intervals } from '../../core/window.ts'
import { day, day0, hour, idOf, minute, modelCall, runRecord, toolCall } from './samples.ts'

const maybe = <Value>(values: readonly Value[]) => fc.option(fc.constantFrom(...values), { nil: undefined })

/** Times that lie close together, on and beside the edges of quarters and days, over four days and one two weeks later. */
export const times = fc
  .tuple(
    fc.constantFrom(0, 0, 1, 2, 3, 16),
    fc.constantFrom(0, 1, 11, 22, 23),
    fc.constantFrom(0, 0, 14, 15, 44),
    fc.constantFrom(0, 0, 1, 59_999),
  )
  .map(([days, hours, minutes, ms]) => day0 + days * day + hours * hour + minutes * minute + ms)

const attribution = fc.record(
  {
    agent: fc.constantFrom('a', 'b'),
    session: fc.constantFrom('s1', 's2'),
    run: fc.constantFrom('r1', 'r2', 'r3'),
    step: fc.constantFrom('1', '2'),
    task: fc.constantFrom('refund', 'other'),
    release: fc.constantFrom('x', 'y'),
    environment: fc.constantFrom('prod'),
    team: fc.constantFrom('cx'),
    user: fc.constantFrom('u1', 'u2'),
    key: fc.constantFrom('k1'),
    tags: fc.constantFrom({ plan: 'pro' }, { plan: 'free', region: 'eu' }),
  },
  { requiredKeys: [] },
)

const reported = {
  source: fc.constantFrom(...sources),
  status: fc.constantFrom(...callStatuses),
  attempt: fc.constantFrom(0, 0, 0, 1),
  durationMs: maybe([0, 3, 812, 70_000]),
  callKey: maybe(['openai:1', 'openai:2', 'ollama:3', 'x']),
}

const usage = fc.record(
  {
    input: fc.constantFrom(1, 1_000, 999_999_999_999),
    cache_read: fc.constantFrom(1, 77),
    output: fc.constantFrom(1, 130),
    reasoning: fc.constantFrom(64),
    web_search: fc.constantFrom(2),
    machine_ms: fc.constantFrom(1_234),
  },
  { requiredKeys: [] },
)

const defined = <Value extends object>(value: Value): Value =>
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as Value

const calls = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      ...reported,
      at: times,
      who: attribution,
      usage,
      model: fc.constantFrom('large', 'small', 'unheard-of'),
      provider: fc.constantFrom('openai', 'ollama'),
      quality: fc.constantFrom('complete', 'complete', 'missing'),
      reportedCost: maybe([0n, 5n, 12_345_678_901_234_567n]),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ...reported,
      at: times,
      who: attribution,
      tool: fc.constantFrom('search', 'mail'),
      cost: maybe([1n, 70_000_000_000n, 9_300_000_000_000_000_000n]),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      at: times,
      who: attribution,
      run: fc.constantFrom('r1', 'r2', 'r4'),
      phase: fc.constantFrom('start', 'end'),
      status: maybe(runStatuses),
      stopReason: maybe(stopReasons),
      parent: maybe(['r1', 'r9']),
      budget: maybe([250n]),
    }),
  },
)

/** Entries with ids of their own. Calls meet under few call keys; runs, names and times are few. */
export const entryLists = (most: number): fc.Arbitrary<readonly Entry[]> =>
  fc.array(calls, { minLength: 1, maxLength: most }).map((list) =>
    list.map((given, index): Entry => {
      const id = idOf(given.at, index)
      const { who, ...rest } = given
      if ('phase' in rest) {
        const { run, phase, budget, ...told } = rest
        return runRecord(
          run,
          phase as 'start',
          defined({ ...who, ...told, id, run, ...(budget !== undefined && { budget: picoUsd(budget) }) }) as never,
        )
      }
      if ('tool' in rest) {
        const { cost, ...told } = rest
        return toolCall(defined({ ...who, ...told, id, ...(cost !== undefined && { cost: picoUsd(cost) }) }) as never)
      }
      const { reportedCost, quality, ...told } = rest
      const isMissing = quality === 'missing'
      return modelCall(
        defined({
          ...who,
          ...told,
          id,
          quality,
          ...(isMissing && { usage: {} }),
          ...(reportedCost !== undefined && !isMissing && { reportedCost: picoUsd(reportedCost) }),
        }) as never,
      )
    }),
  )

const breakdowns: readonly Breakdown[] = [...segmentBreakdowns, ...entryBreakdowns, 'tag.plan', 'tag.none']

const filters: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({
    by: fc.constantFrom<Breakdown>('agent', 'task', 'release', 'session', 'run', 'user', 'model', 'tool', 'stopReason', 'tag.plan', 'step'),
    values: fc.subarray(['a', 'refund', 'x', 's1', 'r1', 'u1', 'large', 'search', 'completed', 'pro', '1', null], {
      minLength: 1,
      maxLength: 6,
    }),
    isNot: fc.boolean(),
  }),
  fc.record({
    by: fc.constantFrom<Breakdown>('kind', 'status', 'source', 'basis', 'provider', 'unit', 'runStatus'),
    values: fc.subarray(['llm', 'ok', 'error', 'sdk', 'computed', 'openai', 'input', 'output', null], { minLength: 1, maxLength: 5 }),
    isNot: fc.boolean(),
  }),
)

export const questions: fc.Arbitrary<Question> = fc
  .record({
    measures: fc.subarray([...measureNames, 'tokens.cache_read', 'tokens.web_search'] as Question['measures'][number][], {
      minLength: 1,
      maxLength: 6,
    }),
    by: fc.oneof(
      fc.subarray([...breakdowns], { minLength: 0, maxLength: 2 }),
      fc.subarray(['agent', 'model', 'stopReason', 'kind'] as Breakdown[], { maxLength: 3 }),
    ),
    interval: maybe(intervals),
    where: fc.array(filters, { maxLength: 2 }),
    from: fc.oneof(times, fc.constant(day0 - 3 * day), fc.constant(0)),
    span: fc.constantFrom(1, 7 * minute, 15 * minute, 26 * hour, day, 6 * day, 40 * day),
    zone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'America/New_York'),
    top: maybe([1, 2]),
  })
  .map(({ span, interval, top, ...question }) => ({
    ...question,
    from: question.from,
    to: question.from === 0 ? day0 + 9 * day : question.from + span,
    // All time is asked for in one piece: cut into days it would be 20,000 buckets.
    ...(interval !== undefined && question.from !== 0 && { interval }),
    ...(top !== undefined && { top }),
  }))
