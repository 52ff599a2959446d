import type { Filter } from '../core/question.ts'
import type { Store } from '../ledger/store.ts'

/** What a provider reported for a model's calls, and what the price book makes of the same calls. Pico-dollars. */
export interface DriftRow {
  readonly provider: string
  readonly model: string
  readonly calls: number
  readonly reported: bigint
  readonly computed: bigint
  /** Calls of a model that the book does not know: they are in `calls`, and in neither sum. */
  readonly uncomputed: number
}

const pageEntries = 1_000

/** Reported against computed cost by model, the largest difference first: a bill that the book does not explain, or a rate that is out of date. */
export const driftOf = async (
  store: Pick<Store, 'entries'>,
  filter: { readonly where: readonly Filter[]; readonly from: number; readonly to: number },
  onProgress?: (entries: number) => void,
): Promise<readonly DriftRow[]> => {
  const rows = new Map<string, { provider: string; model: string; calls: number; reported: bigint; computed: bigint; uncomputed: number }>()
  const reported: Filter = { by: 'basis', values: ['reported'] }
  let after: string | undefined
  let looked = 0
  do {
    const page = await store.entries(
      { ...filter, where: [...filter.where, reported] },
      { limit: pageEntries, ...(after !== undefined && { after }) },
    )
    for (const { event, charge } of page.entries) {
      if (event.kind !== 'llm' || charge.basis !== 'reported') continue
      const key = `${event.provider} ${event.model}`
      const row = rows.get(key) ?? { provider: event.provider, model: event.model, calls: 0, reported: 0n, computed: 0n, uncomputed: 0 }
      rows.set(key, row)
      row.calls += 1
      if (charge.computed === undefined) row.uncomputed += 1
      else {
        row.reported += charge.total
        row.computed += charge.computed
      }
    }
    looked += page.entries.length
    onProgress?.(looked)
    after = page.next
  } while (after !== undefined)
  return [...rows.values()].sort((left, right) => (driftSize(left) < driftSize(right) ? 1 : -1))
}

const driftSize = ({ reported, computed }: DriftRow): bigint => (reported > computed ? reported - computed : computed - reported)
