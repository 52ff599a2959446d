import { describe, expect, it } from 'vitest'
import { byCause, causeTitle, largest, sumOf } from './causes.ts'

const parts = [
  { name: 'traffic', amountUsd: '6.655498973143' },
  { name: 'prompt · gpt-4.1', amountUsd: '4.473092780875' },
  { name: 'mix · claude-opus-4-5', amountUsd: '-2.664013868032' },
  { name: 'prompt · a · b', amountUsd: '-1.000000000001' },
  { name: 'cache · gpt-4.1', amountUsd: '0.000000000000' },
]

describe('the causes of a change', () => {
  it('are named in words, with their model', () => {
    expect([causeTitle('prompt · gpt-4.1'), causeTitle('mix · a · b'), causeTitle('9 smaller parts')]).toEqual([
      'Prompt tokens, gpt-4.1',
      'Choice of models, a · b',
      '9 smaller parts',
    ])
  })

  it('however they are gathered, they sum to the change, to the last digit', () => {
    const sum = sumOf(parts)
    expect([sumOf(byCause(parts)), sumOf(largest(parts, 1)), sumOf(largest(byCause(parts), 2))]).toEqual([sum, sum, sum])
  })

  it('the largest come first, and what did not move is left out', () => {
    expect(byCause(parts).map(({ name, amountUsd }) => [name, amountUsd])).toEqual([
      ['traffic', '6.655498973143'],
      ['prompt', '3.473092780874'],
      ['mix', '-2.664013868032'],
    ])
    expect(largest(parts, 1).map(({ name }) => name)).toEqual(['traffic', '3 smaller parts'])
  })
})
