import { useMemo } from 'react'
import { useView } from '../../state/use-view.ts'

/** The question as the address puts it. What the ledger does not know is not corrected here: the answer says what is wrong. */
export interface Asked {
  readonly measures: readonly string[]
  readonly by: readonly string[]
  readonly interval: string | undefined
  readonly top: number
}

export const byMax = 3
export const measuresMax = 8
const topUsual = 100

export const useAsked = (): Asked => {
  const { search } = useView()
  return useMemo(
    () => ({
      measures: wordsOf(search.measure ?? 'cost').slice(0, measuresMax),
      by: search.by === undefined && search.measure === undefined ? ['agent'] : wordsOf(search.by ?? ''),
      interval: search.interval,
      top: topOf(search.top),
    }),
    [search.measure, search.by, search.interval, search.top],
  )
}

const wordsOf = (text: string): readonly string[] => [
  ...new Set(
    text
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
  ),
]

const topOf = (text: string | undefined): number => {
  const top = Number(text)
  return Number.isInteger(top) && top >= 1 && top <= 1_000 ? top : topUsual
}
