import { describe, expect, test } from 'vitest'
import { createBindings } from './bindings.ts'
import { ahead, budgetOf, prices } from './ride.contract.ts'

const bound = (scopes: readonly string[], call: Parameters<typeof ahead>[0]) => {
  const items = scopes.map((scope) => ({ budget: budgetOf({ limit: '$1', ...(scope.startsWith('run') ? {} : { per: 'day' }), scope }) }))
  return createBindings(items, () => prices)
    .of(ahead(call))
    .map(({ item, value }) => [item.budget.scope, value])
    .sort()
}

describe('a budget binds', () => {
  test.each([
    ['every call, where its scope is all', ['all'], {}, [['all', '']]],
    ['calls that have a value of its scope, each value by itself', ['agent', 'team'], { agent: 'a' }, [['agent', 'a']]],
    ['the one value that it names', ['agent:a', 'agent:b'], { agent: 'b' }, [['agent', 'b']]],
    [
      'together with others',
      ['all', 'agent', 'agent:a', 'run'],
      { agent: 'a', run: 'r' },
      [
        ['agent', 'a'],
        ['agent', 'a'],
        ['all', ''],
        ['run', 'r'],
      ],
    ],
    [
      'by a tag',
      ['tag.plan', 'tag.plan:pro', 'tag.plan:free'],
      { tags: { plan: 'pro' } },
      [
        ['tag.plan', 'pro'],
        ['tag.plan', 'pro'],
      ],
    ],
    ['not by a tag that every object has', ['tag.constructor'], { tags: {} }, []],
    ['a model by the name that the book knows it by', ['model'], { model: 'plain-latest' }, [['model', 'plain']]],
    [
      'a model whichever spelling the budget has',
      ['model:plain-2026-01-31', 'model:plain-latest'],
      { model: 'plain' },
      [
        ['model', 'plain-2026-01-31'],
        ['model', 'plain-latest'],
      ],
    ],
    [
      'a model that the book does not know by its own name',
      ['model', 'model:brand-new'],
      { model: 'brand-new' },
      [
        ['model', 'brand-new'],
        ['model', 'brand-new'],
      ],
    ],
    ['no call of another model', ['model:cached'], { model: 'plain' }, []],
    ['no call that has an empty value', ['agent'], { agent: '' }, []],
  ] as const)('%s', (_name, scopes, call, expected) => {
    expect(bound(scopes, call as never)).toEqual(expected)
  })
})
