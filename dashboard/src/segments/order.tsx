import type { ReactNode } from 'react'
import { useSetView, useView } from '../state/use-view.ts'
import { Segmented } from '../ui/controls.tsx'

/** How the server orders a list that it gives page by page. */
export type Order = 'newest' | 'costliest' | 'longest' | 'tokens'

const orders: readonly { readonly value: Order; readonly title: string; readonly heading: string }[] = [
  { value: 'newest', title: 'Newest', heading: 'Newest first' },
  { value: 'costliest', title: 'Costliest', heading: 'Costliest first' },
  { value: 'longest', title: 'Longest', heading: 'Longest first' },
  { value: 'tokens', title: 'Tokens', heading: 'Most tokens first' },
]

/** As the address says, with the words for it. */
export const useOrder = (usual: Order): { readonly order: Order; readonly heading: string } => {
  const { search } = useView()
  const chosen = orders.find(({ value }) => value === search.sort) ?? orders.find(({ value }) => value === usual)
  return { order: chosen?.value ?? usual, heading: chosen?.heading ?? '' }
}

export const OrderChoice = ({ order }: { order: Order }): ReactNode => {
  const setView = useSetView()
  return (
    <div className="max-w-full overflow-x-auto">
      <Segmented label="Order" value={order} options={orders} onChange={(sort) => setView({ sort, after: undefined })} />
    </div>
  )
}
