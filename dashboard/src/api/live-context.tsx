import { createContext, useContext, useSyncExternalStore } from 'react'
import type { Live, LiveState } from './live.ts'

export const LiveContext = createContext<Live | undefined>(undefined)

/** The one live tail of this page. */
export const useLive = (): Live => {
  const live = useContext(LiveContext)
  if (live === undefined) throw new Error('useLive needs a LiveContext around it.')
  return live
}

export const useLiveState = (): LiveState => {
  const live = useLive()
  return useSyncExternalStore(live.subscribe, live.state)
}
