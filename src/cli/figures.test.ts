import { expect, test } from 'vitest'
import { answerOf, emptySums } from '../core/answer.ts'
import { parseQuestion } from '../core/question.ts'
import { figure, markedFigure, totalsRow } from './figures.ts'
import { textTable } from './text-table.ts'

test('what is not defined is a dash and never zero', () => {
  expect(figure('costPerRun', null)).toBe('–')
  expect(figure('cost', '0.000000000000')).toBe('$0')
  expect(figure('cacheHitRate', 0.25)).toBe('25.0 %')
  expect(figure('tokens', 1234567)).toBe('1,234,567')
  expect(figure('tokens', '12345678901234567890')).toBe('12,345,678,901,234,567,890')
})

test('a figure says what leaves it in doubt, and what is unpriced is no amount', () => {
  expect(markedFigure('cost', { cost: null, unpricedCalls: 1 })).toBe('unpriced')
  expect(markedFigure('cost', { cost: '1.500000000000', unpricedCalls: 1, estimatedCalls: 2 })).toBe('≥ $1.50')
  expect(markedFigure('costPerRun', { costPerRun: '1.500000000000', partialCalls: 1 })).toBe('≥ $1.50')
  expect(markedFigure('costPerRun', { costPerRun: null, partialCalls: 1 })).toBe('–')
  expect(markedFigure('cost', { cost: '1.500000000000', estimatedCalls: 2 })).toBe('≈ $1.50')
  expect(markedFigure('calls', { calls: 3, unpricedCalls: 1 })).toBe('3')
  const total = { ...emptySums(), llmCalls: 1, coverage: { unpriced: { calls: 1, cost: 0n } } }
  expect(markedFigure('cost', totalsRow(answerOf(parseQuestion({ measure: 'cost' }, 0), [], total)))).toBe('unpriced')
})

test('a name cannot move the cursor or stretch the table', () => {
  const table = textTable(
    [{ title: 'agent' }, { title: 'cost', align: 'right' }],
    [
      ['\u001b[2Jevil\u202e', '$1'],
      ['x'.repeat(500), '$22'],
    ],
  )
  expect(table.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  expect(table.split('\n').every((line) => [...line].length <= 60)).toBe(true)
})
