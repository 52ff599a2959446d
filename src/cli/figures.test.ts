import { expect, test } from 'vitest'
import { figure } from './figures.ts'
import { textTable } from './text-table.ts'

test('what is not defined is a dash and never zero', () => {
  expect(figure('costPerRun', null)).toBe('–')
  expect(figure('cost', '0.000000000000')).toBe('$0')
  expect(figure('cacheHitRate', 0.25)).toBe('25.0 %')
  expect(figure('tokens', 1234567)).toBe('1,234,567')
  expect(figure('tokens', '12345678901234567890')).toBe('12,345,678,901,234,567,890')
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
