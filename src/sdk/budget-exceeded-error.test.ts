import { describe, expect, test } from 'vitest'
import { BudgetExceededError } from './budget-exceeded-error.ts'

const message = 'Budget "support" is spent: $5.02 of $5.00 today. Raise its limit or wait until 00:00 Europe/Berlin.'
const refusal = new BudgetExceededError({ budget: 'support', limit: '5.000000000000', spent: '5.020000000000', message })
const fields = { budget: 'support', limit: '5.000000000000', spent: '5.020000000000', code: 'BUDGET_EXCEEDED' }

describe('a refusal inside what a client made of it', () => {
  test.each<[string, unknown]>([
    ['itself', refusal],
    ['a cause', new Error('outer', { cause: new Error('inner', { cause: refusal }) })],
    ['a message with a status before it', new Error(`402 BUDGET_EXCEEDED: ${message}`)],
    ['a message that is JSON', new Error(JSON.stringify({ error: { code: 402, message: `BUDGET_EXCEEDED: ${message}`, status: 'x' } }))],
    [
      'JSON with other fields after it',
      new Error(`402 {"type":"error","error":${JSON.stringify({ message: `BUDGET_EXCEEDED: ${message}`, param: null })}}`),
    ],
    ["the last of an AI SDK's tries", Object.assign(new Error('failed'), { lastError: new Error(`BUDGET_EXCEEDED: ${message}`) })],
    ['one of several errors', new AggregateError([new Error('a'), new Error(`BUDGET_EXCEEDED: ${message}`)])],
  ])('%s', (_, error) => {
    const found = BudgetExceededError.of(error)
    expect(found).toMatchObject(fields)
    expect(found?.message).toBe(`BUDGET_EXCEEDED: ${message}`)
  })

  test('tokens are told as they are', () => {
    expect(BudgetExceededError.of(new Error('BUDGET_EXCEEDED: Budget "t" is spent: 1200 of 1000 tokens.'))).toMatchObject({
      spent: '1200',
      limit: '1000',
    })
  })

  test('what is left and what is reserved are told apart', () => {
    const left =
      'Budget "support" of team "cx" has $0.25 left of $5.00 per day (UTC) ($4.50 spent, $0.25 reserved), and this call can take $1.00.'
    expect(BudgetExceededError.of(new Error(`402 BUDGET_EXCEEDED: ${left}`))).toMatchObject({
      budget: 'support',
      limit: '5.000000000000',
      spent: '4.500000000000',
    })
  })

  test.each([undefined, null, 'BUDGET_EXCEEDED: text', new Error('other'), { message: 7 }])('is not found in %s', (error) => {
    expect(BudgetExceededError.of(error)).toBeUndefined()
  })

  test('errors that cause each other are looked at once', () => {
    const one = new Error('one')
    const two = new Error('two', { cause: one })
    one.cause = two
    expect(BudgetExceededError.of(one)).toBeUndefined()
  })
})
