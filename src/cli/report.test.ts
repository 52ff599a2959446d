import { expect, test } from 'vitest'
import { parseQuestion } from '../core/question.ts'
import { day0, hour, toolCall, usd } from '../ledger/contract/samples.ts'
import { memoryStore } from '../ledger/memory/memory-store.ts'
import { askCompared, previousOf } from '../server/previous-period.ts'
import { comparedCsv, comparedText } from './report.ts'
import { printable, textTable } from './text-table.ts'

/** Costs of agents in the hour before and in this one. */
const compared = async (
  costs: Readonly<Record<string, readonly [string | undefined, string | undefined]>>,
  text: { by: string; top?: string },
) => {
  const store = memoryStore()
  for (const [agent, sides] of Object.entries(costs)) {
    for (const [side, cost] of sides.entries()) {
      if (cost !== undefined) await store.append([toolCall({ agent, task: 'any', at: day0 + side * hour, cost: usd(cost) })])
    }
  }
  const period = { from: new Date(day0 + hour).toISOString(), to: new Date(day0 + 2 * hour).toISOString() }
  const question = parseQuestion({ ...text, ...period, measure: 'cost' }, day0)
  const { answer, previous } = await askCompared(store.ask, question, previousOf(question))
  return { text: comparedText(question, answer, previous).split('\n').slice(2), csv: comparedCsv(question, answer, previous) }
}

const costs = { a: ['1', '5'], b: ['9', '4'], c: ['8', '1'], d: [undefined, '3'], e: ['2', undefined] } as const

test('the first values are compared with what the same values were, and the others with the others', async () => {
  const { text, csv } = await compared(costs, { by: 'agent', top: '2' })
  expect(text).toEqual([
    'a            $1.00   $5.00  +400 %',
    'b            $9.00   $4.00   −56 %',
    'other       $10.00   $4.00   −60 %',
    'total       $20.00  $13.00   −35 %',
  ])
  expect(csv.split('\r\n')[1]).toBe('a,5.000000000000,1.000000000000')
  expect((await compared(costs, { by: 'agent' })).text).toEqual([
    'a            $1.00   $5.00  +400 %',
    'b            $9.00   $4.00   −56 %',
    'd                –   $3.00     new',
    'c            $8.00   $1.00   −88 %',
    'e            $2.00       –  −100 %',
    'total       $20.00  $13.00   −35 %',
  ])
})

test('of several attributes a row that is not among the first is not said to be gone or new', async () => {
  expect((await compared(costs, { by: 'agent,task', top: '1' })).text).toEqual(
    [
      'a      any      in other   $5.00',
      'other  other      $11.00   $8.00  −27 %',
      'b      any         $9.00  in other',
      'total             $20.00  $13.00  −35 %',
    ].map((line) =>
      expect.stringMatching(
        new RegExp(
          line
            .trim()
            .split(/\s+/)
            .map((part) => part.replace(/[$.]/g, '\\$&'))
            .join('\\s+'),
        ),
      ),
    ),
  )
})

test('ten times as much is told as that', async () => {
  expect((await compared({ a: ['0.001', '12.3'] }, { by: 'agent' })).text[0]).toMatch(/^a +\$0\.001 +\$12\.30 +× 12,300$/)
})

test('names of every script line up, and a long one is cut between its signs', () => {
  const [, rule, ...rows] = textTable(
    [{ title: 'agent' }, { title: 'cost' }],
    [
      ['日本語', '$1'],
      ['e\u0301clair', '$2'],
      ['👩‍👩‍👧 x', '$3'],
      ['مساعد', '$4'],
    ],
  ).split('\n')
  expect(rule).toBe('──────  ────')
  expect(rows).toEqual(['日本語  $1', 'e\u0301clair  $2', '👩‍👩‍👧 x    $3', 'مساعد   $4'])
  expect(printable('👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧', 4)).toBe('👩‍👩‍👧…')
})
