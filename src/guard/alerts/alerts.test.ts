import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BookJson } from '../../core/book-json.ts'
import type { CallEntry, Entry, ModelCall } from '../../core/event.ts'
import { createPriceBook } from '../../core/price-book.ts'
import { settleCharge } from '../../core/settle.ts'
import { type AlertStore, memoryAlerts } from '../../ledger/alert-store.ts'
import { memoryStore } from '../../ledger/memory/memory-store.ts'
import type { Notice, Notifier } from '../notifiers/notifier.ts'
import { type Alerts, createAlerts } from './alerts.ts'
import { defaultRules } from './default-rules.ts'
import { parseRule, type Rule } from './rule.ts'
import { parseSilence, type Silence } from './silence.ts'

const book = createPriceBook({
  version: 'test',
  providers: { acme: { name: 'Acme', models: { one: { periods: [{ rates: { input: '1000', output: '1000', cache_read: '100' } }] } } } },
} satisfies BookJson)
const hour = 3_600_000
const day = 24 * hour
const minute = 60_000
const begin = Date.parse('2026-10-01T00:00:00Z')

interface Fleet {
  readonly heard: string[]
  readonly notices: Notice[]
  call(at: number, more?: Partial<ModelCall>): Promise<void>
  endRun(run: string, at: number, release?: string): Promise<void>
  round(at: number): Promise<void>
  restart(): Promise<void>
  /** As after `kill -9`: another engine begins from what was written. */
  crash(): Promise<void>
  configure(rules: readonly Rule[]): Promise<void>
  alerts(): Alerts
  /** Questions that the ledger was asked. */
  asked(): number
  isFailing: boolean
  isStoreFailing: boolean
}

/** A ledger, an engine on it, and a notifier that writes down what it is told. Time is what the test says. */
const fleet = async (
  rules: readonly Rule[],
  {
    silences = [],
    alertStore = memoryAlerts(),
    notifiers = [],
    zone = 'UTC',
  }: { silences?: readonly Silence[]; alertStore?: AlertStore; notifiers?: readonly Notifier[]; zone?: string } = {},
): Promise<Fleet> => {
  const store = memoryStore()
  const heard: string[] = []
  const notices: Notice[] = []
  const state = { now: begin, next: 0, asked: 0, isFailing: false, isStoreFailing: false }
  const notifier: Notifier = {
    name: 'test',
    send: async (notice) => {
      if (state.isFailing) throw new Error('The receiver is away.')
      notices.push(notice)
      for (const alert of notice.alerts)
        heard.push(`${alert.rule} ${Object.values(alert.segment).join('/')} ${notice.transition}`.replace('  ', ' '))
    },
    close: async () => {},
  }
  const start = () =>
    createAlerts({
      setup: { rules, silences, notifiers: [notifier, ...notifiers] },
      store: {
        ...alertStore,
        write: async (changes) => {
          if (state.isStoreFailing) throw new Error('The disk is full.')
          await alertStore.write(changes)
        },
        close: async () => {},
      },
      evidence: {
        ask: (question) => {
          state.asked += 1
          return store.ask(question)
        },
        runCosts: async (where, from, to) =>
          (await store.runs({ where, from, to, sort: 'newest' }, { limit: 1_000 })).runs.map(
            (run) => Number(run.llmCost + run.toolCost) / 1e12,
          ),
        zone,
        budgets: () => [],
      },
      now: () => state.now,
      random: () => 0,
      zone,
      onError: (error) => {
        if (!state.isFailing && !state.isStoreFailing) throw error
      },
    })
  let engine = await start()
  const append = async (entry: Entry) => {
    for (const { counted } of await store.append([entry])) if (counted !== undefined) engine.observe(counted)
  }
  const id = () => {
    state.next += 1
    return `019ab000-0000-7000-8000-${String(state.next).padStart(12, '0')}`
  }
  return {
    heard,
    notices,
    call: async (at, more = {}) => {
      const event: ModelCall = {
        id: id(),
        at,
        source: 'sdk',
        kind: 'llm',
        provider: 'acme',
        model: 'one',
        usage: { input: 1_000 },
        quality: 'complete',
        status: 'ok',
        attempt: 0,
        agent: 'a',
        task: 't',
        ...more,
      }
      await append({ event, charge: settleCharge(event, book) } satisfies CallEntry)
    },
    endRun: (run, at, release) =>
      append({
        event: {
          id: id(),
          at,
          source: 'sdk',
          kind: 'run',
          run,
          phase: 'end',
          status: 'ok',
          stopReason: 'completed',
          ...(release && { release }),
        },
      }),
    round: async (at) => {
      state.now = at
      await engine.evaluate()
      await engine.delivered()
    },
    restart: async () => {
      await engine.close()
      engine = await start()
    },
    crash: async () => {
      engine = await start()
    },
    configure: (next) => engine.configure({ rules: next, silences, notifiers: [notifier, ...notifiers] }),
    alerts: () => engine,
    asked: () => state.asked,
    get isStoreFailing() {
      return state.isStoreFailing
    },
    set isStoreFailing(value) {
      state.isStoreFailing = value
    },
    get isFailing() {
      return state.isFailing
    },
    set isFailing(value) {
      state.isFailing = value
    },
  }
}

const rule = (more: Record<string, unknown>) => parseRule({ name: 'r', ...more }, 'alerts[0]')

describe('rules', () => {
  test.each<[string, unknown, string]>([
    ['an unknown measure', { name: 'x', kind: 'threshold', measure: 'spend', above: 5 }, 'alerts[0].measure should be a measure'],
    ['an unknown kind', { name: 'x', kind: 'magic' }, 'alerts[0].kind should be threshold, change'],
    ['no kind', { name: 'x' }, 'alerts[0].kind should be threshold'],
    ['no name', { kind: 'burn' }, 'alerts[0].name should be a name'],
    ['above and below', { name: 'x', kind: 'threshold', above: 1, below: 2 }, 'either "above" or "below"'],
    ['an unknown attribute', { name: 'x', kind: 'unpriced', by: 'colour' }, 'alerts[0].by should be attributes'],
    ['a field that nobody knows', { name: 'x', kind: 'burn', abve: 5 }, 'alerts[0].abve should be one of'],
    ['a span that is none', { name: 'x', kind: 'unpriced', window: 'long' }, 'alerts[0].window should be a span'],
    [
      'a share of what is none',
      { name: 'x', kind: 'threshold', measure: 'cost', above: '5%' },
      'alerts[0].above should be a number: cost is no share, got "5%"',
    ],
    [
      'a share that is none',
      { name: 'x', kind: 'change', rise: 'lots' },
      'alerts[0].rise should be a number or a share such as 30%, got "lots"',
    ],
    ['a negative threshold', { name: 'x', kind: 'threshold', above: -1 }, 'not negative'],
  ])('%s is refused with its path', (_, json, complaint) => {
    expect(() => parseRule(json, 'alerts[0]')).toThrow(complaint)
  })

  test('the default rules are valid, and have names of their own', () => {
    const names = defaultRules(5).map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain('agent-hour')
    expect(defaultRules(0).map(({ name }) => name)).not.toContain('agent-hour')
  })
})

describe('conditions', () => {
  test('an agent whose hour costs more than a twenty-fourth of the day is told once', async () => {
    const f = await fleet([rule({ kind: 'threshold', measure: 'cost', window: '1h', above: 2, by: 'agent' })])
    for (let index = 0; index < 3; index++) await f.call(begin + index * minute)
    await f.call(begin, { agent: 'quiet' })
    await f.round(begin + 5 * minute)
    await f.round(begin + 6 * minute)
    expect(f.heard).toEqual(['r a firing'])
    expect(f.notices[0]?.alerts[0]?.message).toBe('agent “a”: cost was $3.00 in the last hour, above $2.00.')
  })

  test('a change against the month before names what moved', async () => {
    const f = await fleet([rule({ kind: 'change', measure: 'tokensPerRun', window: '30d', rise: '30 %', by: 'task', callsMin: 5 })])
    for (let index = 0; index < 10; index++) {
      await f.call(begin + index * hour, { run: `old-${index}` })
      await f.call(begin + 35 * day + index * hour, { run: `new-${index}`, usage: { input: 2_000 } })
    }
    await f.round(begin + 36 * day)
    expect(f.heard).toEqual(['r t firing'])
    expect(f.notices[0]?.alerts[0]?.message).toMatch(
      /tokensPerRun rose 100 % .* A run costs \$2\.00 instead of \$1\.00: \+100 % from prompt tokens \(one\)\./,
    )
  })

  test('a release whose runs cost more is told once per release; a surge of runs is not', async () => {
    const f = await fleet([rule({ kind: 'release', by: 'task', window: '7d', runsMin: 20 })])
    for (let index = 0; index < 40; index++) {
      await f.call(begin + index * minute, { run: `a-${index}`, release: '1', usage: { input: 900 + (index % 7) * 40 } })
    }
    for (let index = 0; index < 120; index++)
      await f.call(begin + day + index * minute, { run: `b-${index}`, release: '2', usage: { input: 900 + (index % 7) * 40 } })
    await f.round(begin + 2 * day)
    expect(f.heard).toEqual([])
    for (let index = 0; index < 40; index++)
      await f.call(begin + 2 * day + index * minute, { run: `c-${index}`, release: '3', usage: { input: 1_500 + (index % 7) * 40 } })
    await f.round(begin + 2 * day + hour)
    await f.round(begin + 2 * day + 2 * hour)
    expect(f.heard).toEqual(['r t/3 firing'])
    expect(f.notices[0]?.alerts[0]?.message).toMatch(/a run of release 3 costs \$1\.62, one of 2 cost \$1\.02 .*from prompt tokens \(one\)/)
  })

  test('an hour far above its weeks before is told, with what was expected; three quiet weeks are not', async () => {
    const f = await fleet([rule({ kind: 'baseline', by: 'task', floorUsd: 1 })])
    for (let index = 0; index < 4 * 168; index++)
      await f.call(begin + index * hour + (index % 60) * minute, { usage: { input: 1_000 + (index % 24) * 50 + (index % 5) * 20 } })
    const end = begin + 4 * 168 * hour
    for (let index = 3 * 168; index < 4 * 168; index += 7) await f.round(begin + index * hour + 59 * minute)
    expect(f.heard).toEqual([])
    for (let index = 0; index < 20; index++) await f.call(end + index * minute)
    await f.round(end + 25 * minute)
    expect(f.heard).toEqual(['r t firing'])
    expect(f.notices[0]?.alerts[0]?.message).toMatch(
      /the hour from 00:00 cost \$20\.00 so far; \$1\.\d\d ± .* is usual for this hour of the week .*This is traffic: 20 calls where about 1 are usual/,
    )
  })

  test('a fall is told as one, and a month without data is no month to compare with', async () => {
    const falling = rule({ kind: 'change', measure: 'cacheHitRate', window: '1d', fall: '30%', by: 'agent', callsMin: 5 })
    const f = await fleet([falling, parseRule({ name: 'month', kind: 'change', measure: 'tokensPerRun', by: 'task', callsMin: 5 }, '')])
    for (let index = 0; index < 10; index++) {
      await f.call(begin + index * hour, { run: `a-${index}`, usage: { input: 1_000, cache_read: 3_000 } })
      await f.call(begin + day + index * hour, { run: `b-${index}`, usage: { input: 6_000, cache_read: 3_000 } })
    }
    await f.round(begin + 2 * day - 1)
    expect(f.heard).toEqual(['r a firing'])
    expect(f.notices[0]?.alerts[0]?.message).toBe('agent “a”: cacheHitRate fell 56 % against the day before (0.75 → 0.33).')
  })

  test('what was nothing before has not risen: there is nothing to compare with', async () => {
    const f = await fleet([rule({ kind: 'change', measure: 'cacheHitRate', window: '1d', rise: '50%', by: 'task', callsMin: 5 })])
    for (let index = 0; index < 10; index++) {
      await f.call(begin + index * hour)
      await f.call(begin + day + index * hour, { usage: { input: 1_000, cache_read: 9_000 } })
    }
    await f.round(begin + 2 * day - 1)
    expect(f.heard).toEqual([])
  })

  test('retries that rise are told as a share of the calls, from none too, and not where chance would do', async () => {
    const f = await fleet([rule({ kind: 'change', measure: 'retries', window: '1d', rise: '100%', by: 'task', callsMin: 50 })])
    /** A hundred calls of a task on a day, so many of them retries. */
    const aDay = async (of: number, task: string, retries: number, calls = 100): Promise<void> => {
      for (let index = 0; index < calls; index++)
        await f.call(begin + of * day + index * minute, { task, attempt: index < retries ? 1 : 0 })
    }
    await aDay(0, 'worse', 5)
    await aDay(1, 'worse', 30)
    await aDay(0, 'from-none', 0)
    await aDay(1, 'from-none', 20)
    await aDay(0, 'by-chance', 10)
    await aDay(1, 'by-chance', 21)
    await aDay(0, 'few', 0, 20)
    await aDay(1, 'few', 20, 20)
    await f.round(begin + 2 * day - 1)
    expect(f.heard.toSorted()).toEqual(['r from-none firing', 'r worse firing'])
    const messages = f.notices.flatMap(({ alerts }) => alerts.map(({ message }) => message)).toSorted()
    expect(messages).toEqual([
      'task “from-none”: retries rose against the day before (0.0 % → 20 % of the calls).',
      'task “worse”: retries rose 500 % against the day before (5.0 % → 30 % of the calls).',
    ])
  })

  test('a share that stands alone can be a threshold', async () => {
    const f = await fleet([rule({ kind: 'threshold', measure: 'errors', window: '1h', above: '5 %', by: 'agent', callsMin: 20 })])
    for (let index = 0; index < 40; index++) {
      await f.call(begin + index, { status: index < 2 ? 'error' : 'ok' })
      await f.call(begin + index, { agent: 'b', status: index < 3 ? 'error' : 'ok' })
    }
    await f.round(begin + minute)
    expect(f.heard).toEqual(['r b firing'])
    expect(f.notices[0]?.alerts[0]?.message).toBe('agent “b”: errors was 7.5 % of the calls in the last hour, above 5.0 %.')
  })

  test('a pure surge of traffic raises no rule on shares, ratios or what a run costs', async () => {
    const changes = ['retries', 'errors', 'cacheHitRate', 'efficiency', 'tokensPerRun', 'tokensPerCompletion', 'costPerRun', 'costP95']
    const rules = [
      ...changes.map((measure) => ({ kind: 'change', measure, window: '1d', rise: '20%' })),
      { kind: 'change', measure: 'cacheHitRate', window: '1d', fall: '20%' },
      { kind: 'threshold', measure: 'retries', window: '1d', above: '12%' },
      { kind: 'threshold', measure: 'cacheHitRate', window: '1d', below: '40%' },
      { kind: 'coverage', window: '1d', below: '95%' },
      // What counts is raised by a surge, and shows that there was one.
      { kind: 'change', measure: 'calls', window: '1d', rise: '20%' },
    ].map((each, index) => parseRule({ name: `${index} ${each.measure ?? each.kind}`, callsMin: 20, ...each }, ''))
    const f = await fleet(rules)
    /** The same work, so many times over: every tenth call is tried again, every twentieth fails. */
    const aDay = async (of: number, times: number): Promise<void> => {
      for (let copy = 0; copy < times; copy++)
        for (let index = 0; index < 60; index++)
          await f.call(begin + of * day + index * 10 * minute + copy, {
            run: `run-${of}-${copy}-${index >> 2}`,
            attempt: index % 10 === 0 ? 1 : 0,
            status: index % 20 === 1 ? 'error' : 'ok',
            usage: { input: 500 + (index % 5) * 100, cache_read: 600, output: 100 },
          })
    }
    await aDay(0, 1)
    await aDay(1, 6)
    await f.round(begin + 2 * day - 1)
    expect(f.heard).toEqual(['12 calls firing'])
  })

  test.each(['2026-03-29', '2026-10-25'])('a day with another number of hours (%s) is as usual as any other', async (changeDay) => {
    const change = Date.parse(`${changeDay}T00:00:00Z`)
    const from = change - 21 * day
    const f = await fleet([rule({ kind: 'baseline', by: 'task', floorUsd: 1 })], { zone: 'Europe/Berlin' })
    const localHour = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit', hourCycle: 'h23' })
    for (let at = from; at < change + 3 * day; at += hour) {
      // Everyone begins at nine by their own clock, and steeply.
      const isDay = Number(localHour.format(at)) >= 9 && Number(localHour.format(at)) < 17
      for (let index = 0; index < (isDay ? 12 : 1); index++) await f.call(at + index * minute)
      if (at > change - day) await f.round(at + 50 * minute)
    }
    expect(f.heard).toEqual([])
    for (let index = 0; index < 60; index++) await f.call(change + 3 * day + index * 1_000)
    await f.round(change + 3 * day + 2 * minute)
    expect(f.heard).toEqual(['r t firing'])
  })

  test('a model without a price, a new model, low coverage: each told once a day', async () => {
    const rules = [
      parseRule({ name: 'unpriced', kind: 'unpriced', by: 'model' }, ''),
      parseRule({ name: 'new', kind: 'new', floorUsd: 0 }, ''),
      parseRule({ name: 'coverage', kind: 'coverage', callsMin: 4 }, ''),
    ]
    const f = await fleet(rules)
    await f.call(begin)
    for (let index = 0; index < 4; index++) await f.call(begin + 8 * day + index, { model: 'mystery' })
    await f.round(begin + 8 * day + minute)
    await f.round(begin + 8 * day + 2 * minute)
    expect(f.heard).toEqual(['unpriced mystery firing', 'new mystery firing', 'coverage firing'])
  })

  test('in a ledger younger than a week every model is new, and none is news', async () => {
    const f = await fleet([rule({ kind: 'new', floorUsd: 0 })])
    await f.call(begin)
    for (const days of [1, 3, 6]) {
      await f.call(begin + days * day, { model: `model-${days}` })
      await f.round(begin + days * day + minute)
    }
    expect(f.heard).toEqual([])
  })

  test('the same prompt over and over in a run is a loop; the same in many runs is not', async () => {
    const f = await fleet([rule({ kind: 'repeat', times: 5, within: 'run', floorUsd: 0 })])
    const promptHash = 'f'.repeat(32)
    for (let index = 0; index < 20; index++) await f.call(begin + index, { run: `r-${index}`, promptHash })
    await f.round(begin + minute)
    expect(f.heard).toEqual([])
    for (let index = 0; index < 9; index++) await f.call(begin + minute + index, { run: 'loop', promptHash })
    await f.round(begin + 2 * minute)
    expect(f.heard).toEqual(['r loop/t/a firing'])
    // A run that goes round no more is no news.
    for (const minutes of [3, 10]) await f.round(begin + minutes * minute)
    expect(f.heard).toEqual(['r loop/t/a firing', 'r loop/t/a resolved'])
  })

  test('a loop is said to cost what its calls within the window cost, and not those before it', async () => {
    const f = await fleet([rule({ kind: 'repeat', times: 5, window: '10m', within: 'run', floorUsd: 0 })])
    const loop = { run: 'loop', promptHash: 'f'.repeat(32) }
    for (let index = 0; index < 3; index++) await f.call(begin + index, { ...loop, usage: { input: 1_000_000 } })
    for (let index = 0; index < 5; index++) await f.call(begin + 11 * minute + index, { ...loop, usage: { input: 1_000 } })
    await f.round(begin + 12 * minute)
    expect(f.notices[0]?.alerts[0]?.message).toContain('sent 5 times')
    expect(f.notices[0]?.alerts[0]?.message).toContain('($5.00)')
  })

  test('what is imported from long ago is history, and no news', async () => {
    const rules = [rule({ kind: 'repeat', times: 5, floorUsd: 0 }), parseRule({ name: 'large', kind: 'request', by: 'agent' }, '')]
    const f = await fleet(rules)
    await f.round(begin + 7 * hour)
    for (let index = 0; index < 9; index++)
      await f.call(begin + index, { run: 'loop', promptHash: 'f'.repeat(32), usage: { input: 9_000 } })
    await f.round(begin + 7 * hour + minute)
    expect(f.heard).toEqual([])
  })

  test('one request over its limit is told once an hour per agent and model', async () => {
    const f = await fleet([rule({ kind: 'request', tokensAbove: 8_000, by: ['agent', 'model'] })])
    await f.call(begin, { usage: { input: 8_000 } })
    await f.round(begin + minute)
    expect(f.heard).toEqual([])
    await f.call(begin + minute, { usage: { input: 8_001 } })
    await f.call(begin + minute, { usage: { input: 9_000 } })
    await f.round(begin + 2 * minute)
    expect(f.heard).toEqual(['r a/one firing'])
  })

  test('an agent that was busy all day and stops is told; one that was never busy is not', async () => {
    const f = await fleet([rule({ kind: 'silent', after: '3h' })])
    for (let index = 0; index < 24; index++) await f.call(begin + index * hour)
    await f.call(begin + hour, { agent: 'rare' })
    await f.round(begin + 27 * hour)
    expect(f.heard).toEqual(['r a firing'])
  })
})

describe('createAlerts', () => {
  const costly = () => rule({ kind: 'threshold', measure: 'cost', window: '1h', above: 2, by: 'agent' })

  test('cents never page', async () => {
    const f = await fleet([rule({ kind: 'threshold', measure: 'calls', window: '1h', above: 2, by: 'agent', floorUsd: 10 })])
    for (let index = 0; index < 5; index++) await f.call(begin)
    await f.round(begin + minute)
    expect(f.heard).toEqual([])
  })

  test('a restart tells nothing again and forgets nothing', async () => {
    const f = await fleet([costly()])
    for (let index = 0; index < 3; index++) await f.call(begin)
    await f.round(begin + minute)
    await f.restart()
    await f.round(begin + 2 * minute)
    await f.round(begin + 2 * hour)
    await f.restart()
    await f.round(begin + 3 * hour)
    expect(f.heard).toEqual(['r a firing', 'r a resolved'])
  })

  test('a receiver that is away gets it later, once, also across a restart', async () => {
    const f = await fleet([costly()])
    for (let index = 0; index < 3; index++) await f.call(begin)
    f.isFailing = true
    await f.round(begin + minute)
    await f.restart()
    f.isFailing = false
    await f.round(begin + 2 * minute)
    await f.round(begin + 3 * minute)
    expect(f.heard).toEqual(['r a firing'])
  })

  test('what was taken while the disk is full is not told again, neither meanwhile nor after a restart', async () => {
    const f = await fleet([costly()])
    for (let index = 0; index < 3; index++) await f.call(begin)
    f.isFailing = true
    await f.round(begin + minute)
    f.isFailing = false
    f.isStoreFailing = true
    for (let index = 2; index < 10; index++) await f.round(begin + index * minute)
    expect(f.heard).toEqual(['r a firing'])
    f.isStoreFailing = false
    await f.round(begin + 10 * minute)
    await f.restart()
    await f.round(begin + 11 * minute)
    expect(f.heard).toEqual(['r a firing'])
  })

  test('what is silenced is kept and shown, and nobody hears of it', async () => {
    const f = await fleet([costly()], {
      silences: [parseSilence({ rule: 'r', segment: { agent: 'a' }, until: '2026-10-02T00:00:00Z' }, 'silences[0]')],
    })
    for (let index = 0; index < 3; index++) await f.call(begin)
    await f.round(begin + minute)
    expect(f.heard).toEqual([])
    expect(await f.alerts().list(10)).toMatchObject([{ rule: 'r', state: 'firing' }])
  })

  test('what fired in silence and still holds when the silence ends is told then, and its end once', async () => {
    const f = await fleet([costly()], { silences: [parseSilence({ until: '2026-10-01T00:30:00Z' }, 'silences[0]')] })
    for (let index = 0; index < 3; index++) await f.call(begin)
    await f.round(begin + minute)
    expect(f.heard).toEqual([])
    await f.round(begin + 31 * minute)
    await f.round(begin + 32 * minute)
    await f.round(begin + 3 * hour)
    await f.round(begin + 4 * hour)
    expect(f.heard).toEqual(['r a firing', 'r a resolved'])
  })

  test('of what came and went in silence nobody hears, not even its end', async () => {
    const f = await fleet([costly()], { silences: [parseSilence({ until: '2026-10-01T02:00:00Z' }, 'silences[0]')] })
    for (let index = 0; index < 3; index++) await f.call(begin)
    await f.round(begin + minute)
    await f.round(begin + 90 * minute)
    await f.round(begin + 100 * minute)
    await f.round(begin + 5 * hour)
    expect(f.heard).toEqual([])
    expect(await f.alerts().list(10)).toMatchObject([{ state: 'resolved' }])
  })

  test('a silence that does not end is refused', () => {
    expect(() => parseSilence({ rule: 'r' }, 'silences[0]')).toThrow('silences[0] should be')
  })

  test('a clock that jumps back ends nothing and repeats nothing', async () => {
    const f = await fleet([costly()])
    for (let index = 0; index < 3; index++) await f.call(begin + 10 * minute)
    await f.round(begin + 11 * minute)
    await f.round(begin)
    await f.round(begin + 12 * minute)
    expect(f.heard).toEqual(['r a firing'])
  })

  test('a clock that is set back by half an hour is waited for: what fires goes on, and ends when the hour is over', async () => {
    const f = await fleet([costly()])
    for (let index = 0; index < 3; index++) await f.call(begin + 40 * minute)
    for (const at of [41, 10, 20, 30, 39, 45]) await f.round(begin + at * minute)
    expect(f.heard).toEqual(['r a firing'])
    for (const at of [101, 110]) await f.round(begin + at * minute)
    expect(f.heard).toEqual(['r a firing', 'r a resolved'])
  })

  test('a clock that was years ahead and is set right does not put the alerts to sleep', async () => {
    const f = await fleet([costly()])
    await f.round(begin + 3_000 * day)
    await f.round(begin)
    for (let index = 0; index < 3; index++) await f.call(begin + minute)
    await f.round(begin + 2 * minute)
    await f.round(begin + 3 * hour)
    await f.round(begin + 4 * hour)
    expect(f.heard).toEqual(['r a firing', 'r a resolved'])
  })

  test('a round that could not be kept is told by the next one, single calls included', async () => {
    const f = await fleet([costly(), parseRule({ name: 'loop', kind: 'repeat', times: 3, floorUsd: 0 }, '')])
    for (let index = 0; index < 3; index++) await f.call(begin + index, { run: 'x', promptHash: 'f'.repeat(32) })
    f.isStoreFailing = true
    await f.round(begin + minute)
    f.isStoreFailing = false
    expect(f.heard).toEqual([])
    await f.round(begin + 2 * minute)
    expect(f.heard).toEqual(['r a firing', 'loop x/t/a firing'])
  })

  test('the end of an alert is not told before its beginning', async () => {
    const f = await fleet([costly()])
    for (let index = 0; index < 3; index++) await f.call(begin)
    f.isFailing = true
    await f.round(begin + minute)
    await f.round(begin + 2 * hour)
    await f.round(begin + 3 * hour)
    f.isFailing = false
    await f.round(begin + 4 * hour)
    await f.round(begin + 5 * hour)
    expect(f.heard).toEqual(['r a firing', 'r a resolved'])
  })

  test('a receiver that hangs keeps nobody else waiting', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const hanging: Notifier = { name: 'hangs', send: () => promise, close: async () => {} }
    const f = await fleet([costly()], { notifiers: [hanging] })
    for (let index = 0; index < 3; index++) await f.call(begin)
    void f.round(begin + minute)
    await expect.poll(() => f.heard).toEqual(['r a firing'])
    for (let index = 0; index < 3; index++) await f.call(begin, { agent: 'b' })
    void f.round(begin + 2 * minute)
    await expect.poll(() => f.heard).toEqual(['r a firing', 'r b firing'])
    expect(f.alerts().counters().notifiers.hangs).toMatchObject({ delivered: 0, waiting: 2 })
    resolve()
  })

  test('other rules take over from the next round on, and alerts of rules that are gone end', async () => {
    const f = await fleet([costly()])
    for (let index = 0; index < 3; index++) await f.call(begin)
    await f.round(begin + minute)
    await f.configure([parseRule({ name: 'other', kind: 'threshold', measure: 'calls', above: 2, by: 'task' }, '')])
    await f.round(begin + 2 * minute)
    await f.round(begin + 8 * minute)
    expect(f.heard).toEqual(['r a firing', 'other t firing', 'r a resolved'])
  })

  test('one incident that several rules see is told once, with its cause; a graver rule tells it again', async () => {
    const rules = [
      rule({ kind: 'threshold', measure: 'cost', window: '1h', above: 2, by: 'agent' }),
      parseRule({ name: 'task', kind: 'threshold', measure: 'cost', window: '1h', above: 2, by: 'task' }, ''),
      parseRule({ name: 'grave', kind: 'threshold', measure: 'cost', window: '1h', above: 2, by: 'task', severity: 'critical' }, ''),
    ]
    const f = await fleet(rules)
    for (let index = 0; index < 48; index++) await f.call(begin + index * hour)
    for (let index = 0; index < 6; index++) await f.call(begin + 2 * day + index)
    await f.round(begin + 2 * day + minute)
    expect(f.heard).toEqual(['r a firing', 'grave t firing'])
    const [first, ...others] = [...(await f.alerts().list(10))].sort((left, right) => (left.rule < right.rule ? 1 : -1))
    expect(first).toMatchObject({ rule: 'task', cause: 'traffic' })
    expect(first?.partOf).toBe(others.find(({ rule: name }) => name === 'r')?.id)
    await f.round(begin + 2 * day + 2 * hour)
    await f.round(begin + 2 * day + 3 * hour)
    expect(f.heard.filter((line) => line.startsWith('task'))).toEqual([])
  })

  test('many that fire at once share the questions of their causes, and each has its own', async () => {
    const f = await fleet([rule({ kind: 'threshold', measure: 'cost', window: '1h', above: 2, by: 'agent' })])
    const agents = Array.from({ length: 30 }, (_, index) => `agent-${index}`)
    // Every second agent makes more calls than it did, the others send more at once.
    const isBusier = (agent: string): boolean => agents.indexOf(agent) % 2 === 0
    for (const agent of agents) {
      for (let index = 0; index < 10; index++) await f.call(begin + index * hour, { agent })
      for (let index = 0; index < (isBusier(agent) ? 8 : 1); index++)
        await f.call(begin + 2 * day + index, { agent, usage: { input: isBusier(agent) ? 1_000 : 8_000 } })
    }
    await f.round(begin + 2 * day + minute)
    const alerts = f.notices.flatMap((notice) => notice.alerts)
    expect(alerts.length).toBe(30)
    for (const { segment, cause } of alerts) expect(cause).toBe(isBusier(String(segment.agent)) ? 'traffic' : 'prompt')
    expect(f.asked()).toBeLessThan(12)
  })

  test('alerts of one rule travel together', async () => {
    const f = await fleet([costly()])
    for (const agent of ['a', 'b', 'c']) for (let index = 0; index < 3; index++) await f.call(begin, { agent })
    await f.round(begin + minute)
    expect(f.notices.map(({ alerts }) => alerts.length)).toEqual([3])
  })

  test('whatever comes, with restarts anywhere and clocks that are set back, each alert begins and ends in turn', async () => {
    const act = fc.oneof(
      fc.record({ kind: fc.constant('call' as const), agent: fc.constantFrom('a', 'b'), count: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ kind: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 90 }) }),
      fc.constant({ kind: 'restart' as const }),
      fc.constant({ kind: 'crash' as const }),
      fc.record({ kind: fc.constant('fullDisk' as const), on: fc.boolean() }),
      fc.record({ kind: fc.constant('setBack' as const), minutes: fc.integer({ min: 1, max: 3_000 }) }),
      fc.record({ kind: fc.constant('fail' as const), on: fc.boolean() }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 30 }), async (acts) => {
        const f = await fleet([costly()])
        let now = begin
        let latest = begin
        const calls: { agent: string; at: number }[] = []
        // Whom a look at the ledger by hand finds above the threshold; while clocks go back, what "the last hour" is cannot be said.
        const crossed = new Set<string>()
        const look = async (at: number): Promise<void> => {
          await f.round(at)
          for (const agent of ['a', 'b'])
            if (!f.isStoreFailing && calls.filter((call) => call.agent === agent && call.at > at - hour).length > 2) crossed.add(agent)
        }
        const goesForward = acts.every(({ kind }) => kind !== 'setBack')
        for (const each of acts) {
          if (each.kind === 'call')
            for (let index = 0; index < each.count; index++) {
              calls.push({ agent: each.agent, at: now })
              await f.call(now, { agent: each.agent })
            }
          if (each.kind === 'wait') now += each.minutes * minute
          if (each.kind === 'setBack') now -= each.minutes * minute
          if (each.kind === 'restart') await f.restart()
          if (each.kind === 'crash') await f.crash()
          if (each.kind === 'fullDisk') f.isStoreFailing = each.on
          if (each.kind === 'fail') f.isFailing = each.on
          await look(now)
          latest = Math.max(latest, now)
        }
        f.isFailing = false
        f.isStoreFailing = false
        now = latest
        for (let index = 0; index < 20; index++) await look((now += 20 * minute))
        for (const agent of ['a', 'b']) {
          // A receiver that looks at ids shows once what a crash made it hear twice.
          const once = new Map<string, string>()
          for (const { transition, alerts } of f.notices)
            for (const { id, segment } of alerts) if (segment.agent === agent) once.set(`${id} ${transition}`, transition)
          const told = [...once.values()]
          expect(told).toEqual(told.map((_, index) => (index % 2 === 0 ? 'firing' : 'resolved')))
          expect(told.length % 2).toBe(0)
          if (goesForward) expect(told.length > 0).toBe(crossed.has(agent))
        }
      }),
      { numRuns: 60 },
    )
  })
})
