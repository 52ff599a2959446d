import { expect, it } from 'vitest'
import { csvOf } from './csv.ts'

it('what a spreadsheet would run or split is quoted and made text', () => {
  const rows = [
    { agent: '=HYPERLINK("http://evil")', cost: '-0.5' },
    { agent: 'a,b\n"c"', cost: null },
  ]
  expect(csvOf(['agent', 'cost'], rows)).toBe('agent,cost\r\n"\'=HYPERLINK(""http://evil"")",-0.5\r\n"a,b\n""c""",\r\n')
})
