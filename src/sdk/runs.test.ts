import { describe, expect, test } from 'vitest'
import type { EventJson, ItemResult } from '../intake/event-json.ts'
import { BudgetExceededError } from './budget-exceeded-error.ts'
import type { RunOptions } from './runs.ts'
import type { Sender } from './sender.ts'
import { TokenTracker, type TrackerOptions } from './token-tracker.ts'
import type { Warning } from './warning.ts'

const setup = (options: TrackerOptions = {}, send?: Sender['send']) => {
  const events: EventJson[] = []
  const warnings: Warning[] = []
  const keep: Sender['send'] = async (batch) => {
    events.push(...batch)
    return batch.map(
      (event): ItemResult => ({
        id: event.id,
        outcome: 'accepted',
        ...(event.costUsd !== undefined ? { costUsd: event.costUsd, basis: 'computed' } : event.kind !== 'run' && { basis: 'unpriced' }),
      }),
    )
  }
  const tracker = new TokenTracker({
    sender: { send: send ?? keep, async close() {} },
    onWarning: (warning) => warnings.push(warning),
    random: () => 0,
    ...options,
  })
  const recorded = async () => {
    await tracker.flush()
    return events
  }
  return { tracker, events, warnings, recorded }
}

const ends = (events: readonly EventJson[]) =>
  events.filter(({ phase }) => phase === 'end').map(({ status, stopReason }) => [status, stopReason])

describe('a run', () => {
  test('has a start and an end, and all calls in it carry what it belongs to', async () => {
    const { tracker, recorded } = setup({ agent: 'support-bot', release: '2026-11-22', tags: { plan: 'pro', region: 'eu' } })
    const result = await tracker.run(
      { task: 'refund', session: 's-1', team: 'cx', user: 'u-7', tags: { plan: 'free' }, budgetUsd: 0.25 },
      async (run) => {
        await run.step('look up', () => run.tool('web-search', { costUsd: '0.005' }, async () => 'found'))
        tracker.record({ kind: 'llm', provider: 'openai', model: 'm', usage: { input: 1 } })
        return run.id
      },
    )
    const events = await recorded()
    const own = {
      agent: 'support-bot',
      release: '2026-11-22',
      task: 'refund',
      session: 's-1',
      team: 'cx',
      user: 'u-7',
      run: result,
      tags: { plan: 'free', region: 'eu' },
    }
    expect(events).toMatchObject([
      { ...own, kind: 'run', phase: 'start', budgetUsd: '0.250000000000' },
      { ...own, kind: 'tool', tool: 'web-search', step: 'look up', costUsd: '0.005000000000', status: 'ok' },
      { ...own, kind: 'llm', provider: 'openai' },
      { ...own, kind: 'run', phase: 'end', status: 'ok', stopReason: 'completed' },
    ])
    expect(events[2]).not.toHaveProperty('step')
    expect(new Set(events.map(({ id }) => id)).size).toBe(4)
  })

  test("outside of a run calls carry the tracker's own attribution", async () => {
    const { tracker, recorded } = setup({ agent: 'a' })
    tracker.record({ kind: 'tool', tool: 't' })
    const [event] = await recorded()
    expect(event).toMatchObject({ agent: 'a', kind: 'tool', source: 'sdk', at: expect.any(Number), id: expect.any(String) })
    expect(event).not.toHaveProperty('run')
  })

  test('runs that go on at the same time do not mix', async () => {
    const { tracker, recorded } = setup()
    const one = async (task: string) =>
      tracker.run({ task }, async () => {
        for (let turn = 0; turn < 5; turn++) {
          await new Promise((resolve) => setImmediate(resolve))
          tracker.record({ kind: 'tool', tool: task })
        }
      })
    await Promise.all(['a', 'b', 'c'].map(one))
    const tools = (await recorded()).filter(({ kind }) => kind === 'tool')
    expect(tools).toHaveLength(15)
    for (const { tool, task } of tools) expect(tool).toBe(task)
  })

  test('a run inside a run knows its parent and inherits what it does not say', async () => {
    const { tracker, recorded } = setup()
    const ids = await tracker.run({ task: 'outer', session: 's', id: 'r-1' }, async (outer) => {
      const inner = await tracker.run({ task: 'inner' }, async (run) => run.id)
      const late = await outer.run({ agent: 'helper' }, async (run) => run.id)
      return { inner, late }
    })
    const starts = (await recorded()).filter(({ phase }) => phase === 'start')
    expect(starts).toMatchObject([
      { run: 'r-1', task: 'outer' },
      { run: ids.inner, parent: 'r-1', task: 'inner', session: 's' },
      { run: ids.late, parent: 'r-1', task: 'outer', agent: 'helper' },
    ])
  })

  test('its handle works where the async context was lost', async () => {
    const { tracker, recorded } = setup()
    let tool: (() => Promise<unknown>) | undefined
    const run = tracker.run({ task: 't', id: 'r-1' }, (run) => {
      tool = () => run.tool('x', () => 1)
      return new Promise((resolve) => setTimeout(resolve, 30))
    })
    await tool?.()
    await run
    expect((await recorded()).find(({ kind }) => kind === 'tool')).toMatchObject({ run: 'r-1', task: 't' })
  })
})

describe('how a run ends', () => {
  const thrown = new RangeError('mine')
  const outcomeOf = async (options: RunOptions, go: Parameters<TokenTracker['run']>[1], tools?: TrackerOptions) => {
    const { tracker, recorded } = setup(tools)
    const error = await tracker.run(options, go).then(
      () => undefined,
      (error: unknown) => error,
    )
    return { error, ends: ends(await recorded()) }
  }

  test.each<[string, Parameters<TokenTracker['run']>[1], string[]]>([
    ['it returns', () => 'done', ['ok', 'completed']],
    ['a step throws', (run) => run.step('s', () => Promise.reject(thrown)), ['error', 'step_error']],
    ['a tool throws', (run) => run.tool('t', () => Promise.reject(thrown)), ['error', 'tool_error']],
    ['a tool in a step throws', (run) => run.step('s', () => run.tool('t', () => Promise.reject(thrown))), ['error', 'tool_error']],
    [
      'a tool threw and was survived, then a step throws',
      async (run) => {
        await run.tool('t', () => Promise.reject(new Error('other'))).catch(() => undefined)
        return run.step('s', () => Promise.reject(thrown))
      },
      ['error', 'step_error'],
    ],
    ['it throws by itself', () => Promise.reject(thrown), ['error', 'step_error']],
    [
      'the agent says why, and returns',
      (run) => {
        run.stop('max_steps')
      },
      ['error', 'max_steps'],
    ],
    [
      'the agent says why, and throws',
      (run) => {
        run.stop('cancelled')
        throw thrown
      },
      ['cancelled', 'cancelled'],
    ],
  ])('%s', async (_, go, expected) => {
    const { error, ends } = await outcomeOf({}, go)
    expect(ends).toEqual([expected])
    if (error !== undefined) expect(error).toBe(thrown)
  })

  test('an abort is a cancel, and a timeout is none', async () => {
    const abort = AbortSignal.abort()
    expect((await outcomeOf({}, () => abort.throwIfAborted())).ends).toEqual([['cancelled', 'cancelled']])
    const wrapped = new Error('stopped', { cause: abort.reason })
    expect((await outcomeOf({}, () => Promise.reject(wrapped))).ends).toEqual([['cancelled', 'cancelled']])
    const timeout = new DOMException('late', 'TimeoutError')
    expect((await outcomeOf({}, () => Promise.reject(timeout))).ends).toEqual([['error', 'step_error']])
  })

  test('a step past the most is refused, and the run says so', async () => {
    const { error, ends } = await outcomeOf({ maxSteps: 2 }, async (run) => {
      for (;;) await run.step('again', () => undefined)
    })
    expect(error).toMatchObject({ code: 'MAX_STEPS' })
    expect(ends).toEqual([['error', 'max_steps']])
  })

  test('thrown values that are no errors come out as they are', async () => {
    expect((await outcomeOf({}, () => Promise.reject('text'))).error).toBe('text')
    expect((await outcomeOf({}, () => Promise.reject(undefined))).ends).toEqual([['error', 'step_error']])
  })

  test('a failing sub-run tells its parent why', async () => {
    const { ends } = await outcomeOf({}, (run) => run.run({}, (inner) => inner.tool('t', () => Promise.reject(thrown))))
    expect(ends).toEqual([
      ['error', 'tool_error'],
      ['error', 'tool_error'],
    ])
  })
})

describe("a run's budget", () => {
  const spend = (tracker: TokenTracker, costUsd: string) => tracker.record({ kind: 'tool', tool: 'bought', costUsd })

  test('is counted and told once when it is crossed, and warns only unless told to stop', async () => {
    const { tracker, warnings, recorded } = setup()
    await tracker.run({ budgetUsd: '0.30' }, async (run) => {
      for (let turn = 0; turn < 3; turn++) {
        await run.tool('t', { costUsd: '0.15' }, () => 1)
        await tracker.flush()
      }
      expect(run.spentUsd).toBe('0.450000000000')
    })
    await recorded()
    expect(warnings.map(({ code }) => code)).toEqual(['budget-crossed'])
    expect(warnings[0]?.message).toMatch(/has spent \$0\.30 of its budget of \$0\.30/)
    expect(tracker.stats()).toMatchObject({ budgetCrossings: 1, refused: 0 })
  })

  test('refuses the next tool before it runs', async () => {
    const { tracker, recorded } = setup()
    let isRun = false
    const error = await tracker
      .run({ budgetUsd: '0.30', onBudget: 'stop' }, async (run) => {
        await run.tool('first', { costUsd: '0.31' }, () => 1)
        await run.tool('second', { costUsd: '0.01' }, () => {
          isRun = true
        })
      })
      .catch((error: unknown) => error)
    expect(error).toBeInstanceOf(BudgetExceededError)
    expect(error).toMatchObject({ limit: '0.300000000000', spent: '0.310000000000' })
    expect(isRun).toBe(false)
    expect(ends(await recorded())).toEqual([['error', 'budget_exceeded']])
  })

  test('is spent by sub-runs too, and stops them', async () => {
    const { tracker, recorded } = setup()
    const error = await tracker
      .run({ id: 'outer', budgetUsd: '0.30', onBudget: 'stop' }, async (outer) => {
        await outer.run({}, () => spend(tracker, '0.20'))
        await outer.run({ budgetUsd: '5' }, async (inner) => {
          await inner.tool('t', { costUsd: '0.20' }, () => 1)
          await inner.tool('t', { costUsd: '0.20' }, () => 1)
        })
      })
      .catch((error: unknown) => error)
    expect(error).toMatchObject({ budget: 'run outer', spent: '0.400000000000' })
    expect(ends(await recorded())).toEqual([
      ['ok', 'completed'],
      ['error', 'budget_exceeded'],
      ['error', 'budget_exceeded'],
    ])
  })

  test('an agent that catches the refusal and returns has completed', async () => {
    const { tracker, recorded } = setup()
    const result = await tracker.run({ budgetUsd: 0, onBudget: 'stop' }, (run) => run.tool('t', () => 1).catch(() => 'without it'))
    expect(result).toBe('without it')
    expect(ends(await recorded())).toEqual([['ok', 'completed']])
  })

  test('a ledger that does not answer lets calls through, at once after the first, and counts them', async () => {
    const { tracker, warnings } = setup({}, () => Promise.reject(new Error('down')))
    await tracker.run({ budgetUsd: '0.01', onBudget: 'stop' }, async (run) => {
      for (let turn = 0; turn < 3; turn++) await run.tool('t', { costUsd: '1' }, () => 1)
    })
    expect(tracker.stats().budgetUnchecked).toBe(2)
    expect(warnings.map(({ code }) => code)).toContain('budget-unchecked')
    await tracker.close(1)
  })

  test("a ledger that does not answer stops them with onMeterFailure: 'block'", async () => {
    const { tracker } = setup({ onMeterFailure: 'block' }, () => Promise.reject(new Error('down')))
    const error = await tracker
      .run({ budgetUsd: '5', onBudget: 'stop' }, async (run) => {
        await run.tool('t', { costUsd: '1' }, () => 1)
        await run.tool('t', { costUsd: '1' }, () => 1)
      })
      .catch((error: unknown) => error)
    expect((error as Error).message).toContain('cannot be checked')
    await tracker.close(1)
  })

  test('a call without a price is told: the budget does not see it', async () => {
    const { tracker, warnings, recorded } = setup()
    await tracker.run({ budgetUsd: '5' }, (run) => run.tool('mystery', () => 1))
    await recorded()
    expect(warnings.map(({ code }) => code)).toEqual(['unpriced-call'])
  })

  test.each([-1, Number.NaN, 'five', '1e3', ''])('of %j is refused before the run begins', async (budgetUsd) => {
    const { tracker, events } = setup()
    await expect(tracker.run({ budgetUsd }, () => 1)).rejects.toMatchObject({ code: 'BAD_BUDGET' })
    expect(events).toEqual([])
  })

  test('a number is taken by the decimal that its author wrote', async () => {
    const { tracker, recorded } = setup()
    for (const budgetUsd of [0.1, 1e-7]) await tracker.run({ budgetUsd }, () => 1)
    expect((await recorded()).filter(({ phase }) => phase === 'start').map((event) => event.budgetUsd)).toEqual([
      '0.100000000000',
      '0.000000100000',
    ])
  })
})

describe('what users say', () => {
  test('is cut to what the ledger takes, with a warning, and never costs the event', async () => {
    const { tracker, warnings, recorded } = setup({ agent: 'x'.repeat(300), tags: { 'bad key!': 'a', ok: 'b' } })
    await tracker.run({ task: 7 as unknown as string, session: '' }, () => undefined)
    const [start] = await recorded()
    expect(start).toMatchObject({ agent: 'x'.repeat(200), task: '7', tags: { ok: 'b' } })
    expect(start).not.toHaveProperty('session')
    expect(warnings.map(({ code }) => code)).toEqual(['bad-option', 'bad-option'])
  })

  test('a listener that throws does not reach the agent', async () => {
    const tracker = new TokenTracker({
      sender: { send: () => Promise.reject(new Error('down')), async close() {} },
      onWarning: () => {
        throw new Error('listener')
      },
    })
    expect(await tracker.run({}, () => 'fine')).toBe('fine')
    await tracker.close(1)
  })
})
