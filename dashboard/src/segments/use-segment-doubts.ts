import { useMemo } from 'react'
import { useQuestion } from '../api/use-question.ts'
import type { SegmentKind } from './segment-kinds.ts'

/** Value → what stands before its money: its total is a lower bound, or an estimate. Values without a doubt are not in it. */
export type Doubts = ReadonlyMap<string | null, { readonly mark: '≥' | '≈'; readonly calls: number }>

/** Which rows of a table hold calls that are not exactly priced: a total's coverage says how many there are, this says where. */
export const useSegmentDoubts = (kind: SegmentKind): Doubts => {
  const { data } = useQuestion({
    measures: ['calls'],
    by: [kind.by, 'basis'],
    where: [...kind.where, 'basis:partial,estimated,unpriced'],
  })
  return useMemo(() => {
    const doubts = new Map<string | null, { mark: '≥' | '≈'; calls: number }>()
    for (const row of data?.rows ?? []) {
      const value = row[kind.by] as string | null
      const known = doubts.get(value)
      doubts.set(value, {
        mark: row.basis === 'estimated' || known?.mark === '≈' ? '≈' : '≥',
        calls: (known?.calls ?? 0) + Number(row.calls),
      })
    }
    return doubts
  }, [data, kind.by])
}
