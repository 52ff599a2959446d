import { useLive } from '../api/live-context.tsx'
import { isMoving, type Range, rangeOf } from './period.ts'
import { useView } from './use-view.ts'

/** About where the period lies, for choosing intervals and words. What is asked is resolved when it is asked. */
export const useRange = (): Range & { readonly isMoving: boolean } => {
  const { period, zone } = useView()
  const live = useLive()
  return { ...rangeOf(period, live.now(), zone), isMoving: isMoving(period) }
}
