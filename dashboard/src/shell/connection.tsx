import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useEffect, useState } from 'react'
import { useLive, useLiveState } from '../api/live-context.tsx'
import { clockOf } from '../format/times.ts'
import { useView } from '../state/use-view.ts'
import { Icon } from '../ui/icon.tsx'
import { ViewLink } from '../ui/view-link.tsx'

/** A blink of the connection is nobody's business; a server that stays away is everybody's. */
const patienceMs = 1_500

export const useIsLost = (): boolean => {
  const { connection } = useLiveState()
  const [isLost, setIsLost] = useState(false)
  useEffect(() => {
    if (connection !== 'lost') return setIsLost(false)
    const timer = setTimeout(() => setIsLost(true), patienceMs)
    return () => clearTimeout(timer)
  }, [connection])
  return isLost
}

/** The light on the roof: lit while entries come in. */
export const LiveMark = (): ReactNode => {
  const { connection, seen } = useLiveState()
  const text = connection === 'live' ? 'Live' : connection === 'lost' ? 'No connection' : 'Connecting'
  return (
    <ViewLink
      to="/calls"
      patch={{ sort: 'newest' }}
      className="flex h-8 items-center gap-2 rounded-md px-2 text-xs text-ink-2 hover:bg-sunken"
      title="The latest calls"
      label={`${text}. To the latest calls`}
    >
      <span
        // Keyed by what came in, so that every call starts the pulse anew.
        key={connection === 'live' ? seen : connection}
        aria-hidden="true"
        className={`size-2 rounded-full ${connection === 'live' ? `bg-accent ring-1 ring-edge/60 ${seen > 0 ? 'animate-[pulse-dot_900ms_ease-out_1]' : ''}` : connection === 'lost' ? 'bg-bad' : 'bg-edge'}`}
      />
      <span className="max-sm:sr-only">{text}</span>
    </ViewLink>
  )
}

/** Says what is wrong, how old the figures are, and that something is being done about it. */
export const ConnectionBanner = (): ReactNode => {
  const isLost = useIsLost()
  const { heardAt } = useLiveState()
  const { zone } = useView()
  const client = useQueryClient()
  const live = useLive()
  return (
    <div role="status" aria-live="polite">
      {isLost && (
        <p className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-bad-soft px-4 py-2 text-[0.8125rem] text-bad lg:px-6">
          <Icon name="warn" />
          <span>
            The server does not answer.{' '}
            {heardAt === undefined
              ? 'Nothing can be shown yet.'
              : `What you see is from ${clockOf(zone).second(heardAt + live.now() - Date.now())}.`}{' '}
            Trying again…
          </span>
          <button type="button" className="link font-medium" onClick={() => void client.refetchQueries({ type: 'active' })}>
            Try now
          </button>
        </p>
      )}
    </div>
  )
}
