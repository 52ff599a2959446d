import { useRouterState } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useAlerts } from '../api/use-lists.ts'
import { Icon } from '../ui/icon.tsx'
import { ViewLink } from '../ui/view-link.tsx'
import { groups, pages } from './pages.ts'

/** Where one can go; the page that one is on is marked. */
export const Menu = ({ onGo }: { onGo?: () => void }): ReactNode => {
  const path = useRouterState({ select: (state) => state.location.pathname })
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: it hears of the links inside it, which have their own keys.
    <nav aria-label="Pages" className="flex flex-col gap-5" onClick={onGo}>
      {groups.map((group) => (
        <div key={group.name}>
          {group.title !== undefined && <p className="mb-1 px-3 text-2xs font-medium tracking-wide text-ink-3 uppercase">{group.title}</p>}
          <ul className="flex flex-col gap-px">
            {pages
              .filter((page) => page.group === group.name)
              .map((page) => {
                const isHere = page.path === '/' ? path === '/' : path === page.path || path.startsWith(`${page.path}/`)
                return (
                  <li key={page.path}>
                    <ViewLink
                      to={page.path}
                      isCurrent={isHere}
                      className="relative flex h-8 items-center gap-2.5 rounded-md px-3 text-ink-2 hover:bg-sunken hover:text-ink aria-[current]:bg-sunken aria-[current]:font-medium aria-[current]:text-ink aria-[current]:before:absolute aria-[current]:before:inset-y-1.5 aria-[current]:before:left-0 aria-[current]:before:w-[3px] aria-[current]:before:rounded-full aria-[current]:before:bg-accent"
                    >
                      <Icon name={page.icon} />
                      {page.title}
                      {page.path === '/alerts' && <FiringCount />}
                    </ViewLink>
                  </li>
                )
              })}
          </ul>
        </div>
      ))}
    </nav>
  )
}

const FiringCount = (): ReactNode => {
  const { data } = useAlerts()
  const firing = data?.alerts.filter((alert) => alert.state === 'firing').length ?? 0
  if (firing === 0) return null
  return (
    <span className="ml-auto rounded-full bg-bad-soft px-1.5 text-2xs font-medium text-bad">
      {firing}
      <span className="sr-only"> firing</span>
    </span>
  )
}

export const Brand = (): ReactNode => (
  <ViewLink
    to="/"
    label="taximeter, to the overview"
    className="flex items-center gap-2.5 px-3 text-[0.9375rem] font-semibold tracking-tight"
  >
    <svg aria-hidden="true" viewBox="0 0 20 20" className="size-5">
      <rect width="20" height="20" rx="4.5" className="fill-accent" />
      <path d="M0 5h5v5H0zM10 5h5v5h-5zM5 10h5v5H5zM15 10h5v5h-5z" className="fill-on-accent" />
    </svg>
    taximeter
  </ViewLink>
)
