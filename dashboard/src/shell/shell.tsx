import { Outlet, useRouterState } from '@tanstack/react-router'
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react'
import { nextTheme, setTheme, useTheme } from '../state/theme.ts'
import { useView } from '../state/use-view.ts'
import { IconButton } from '../ui/controls.tsx'
import { Icon } from '../ui/icon.tsx'
import { Modal } from '../ui/modal.tsx'
import { ConnectionBanner, LiveMark } from './connection.tsx'
import { FilterButton, FilterChips } from './filter-bar.tsx'
import { Brand, Menu } from './menu.tsx'
import { Palette } from './palette.tsx'
import { PeriodBar, ZoneChoice } from './period-bar.tsx'
import { ShortcutHelp, useShortcuts } from './shortcuts.tsx'

type Open = 'menu' | 'help' | 'palette' | undefined

/** What is around every page: where to go, what is looked at, whether it is live. */
export const Shell = (): ReactNode => {
  const [open, setOpen] = useState<Open>(undefined)
  const close = useCallback(() => setOpen(undefined), [])
  useShortcuts(
    useCallback(() => setOpen('help'), []),
    useCallback(() => setOpen('palette'), []),
  )
  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[13.5rem_minmax(0,1fr)]">
      <a href="#main" className="sr-only z-50 bg-accent px-3 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2">
        Skip to the content
      </a>
      <aside className="sticky top-0 hidden h-dvh flex-col gap-6 overflow-y-auto border-r border-line px-3 py-5 lg:flex">
        <Brand />
        <Menu />
        <SideFoot onHelp={() => setOpen('help')} />
      </aside>
      <div className="flex min-w-0 flex-col">
        <TopBar onMenu={() => setOpen('menu')} onSearch={() => setOpen('palette')} />
        <ConnectionBanner />
        <Main />
      </div>
      <Modal label="Menu" isOpen={open === 'menu'} onClose={close} className="m-0 h-dvh max-h-none w-64 max-w-[85vw] border-r p-4">
        <div className="mb-5 flex items-center justify-between">
          <Brand />
          <IconButton icon="close" label="Close the menu" onClick={close} />
        </div>
        <Menu onGo={close} />
        <div className="mt-6">
          <ThemeButton />
        </div>
      </Modal>
      <Modal
        label="Keyboard shortcuts"
        isOpen={open === 'help'}
        onClose={close}
        className="m-auto w-[36rem] max-w-[calc(100vw-2rem)] rounded-xl border"
      >
        <ShortcutHelp onClose={close} />
      </Modal>
      <Modal
        label="Go to"
        isOpen={open === 'palette'}
        onClose={close}
        className="mx-auto mt-[12vh] w-[34rem] max-w-[calc(100vw-2rem)] rounded-xl border"
      >
        <Palette onClose={close} />
      </Modal>
    </div>
  )
}

const TopBar = ({ onMenu, onSearch }: { onMenu: () => void; onSearch: () => void }): ReactNode => {
  const path = useRouterState({ select: (state) => state.location.pathname })
  // Budgets and alerts are as they are now, and a run is what it was, whatever the period; prices and snippets know no time at all.
  const hasZone = ['/budgets', '/alerts'].some((each) => path.startsWith(each)) || /^\/runs\/./.test(path)
  const hasPeriod = !hasZone && !['/prices', '/check', '/start'].some((each) => path.startsWith(each))
  return (
    <header className="sticky top-0 z-30 border-b border-line bg-paper/95 backdrop-blur-sm">
      <div className="flex min-h-14 flex-wrap items-center gap-x-2 gap-y-1 px-4 py-2 lg:px-6">
        <span className="flex items-center gap-1 lg:hidden">
          <IconButton icon="menu" label="Open the menu" onClick={onMenu} />
          <Brand />
        </span>
        <span className="ml-auto flex items-center gap-1 lg:order-3">
          <LiveMark />
          <IconButton icon="search" label="Go to… (Ctrl K)" onClick={onSearch} />
        </span>
        {hasZone && (
          <span className="max-lg:hidden lg:order-2">
            <ZoneChoice />
          </span>
        )}
        {hasPeriod && (
          <div className="flex w-full min-w-0 items-center gap-2 overflow-x-auto p-0.5 lg:order-2 lg:w-auto lg:overflow-visible">
            <PeriodBar />
            <FilterButton />
          </div>
        )}
      </div>
    </header>
  )
}

const Main = (): ReactNode => {
  const { complaints } = useView()
  const path = useRouterState({ select: (state) => state.location.pathname })
  const main = useRef<HTMLElement>(null)
  const isFirst = useRef(true)
  // A new page is announced by moving the focus to it, as a browser does when it loads one.
  useEffect(() => {
    if (!isFirst.current) main.current?.focus({ preventScroll: true })
    isFirst.current = false
  }, [path])
  return (
    <main
      id="main"
      ref={main}
      tabIndex={-1}
      className="mx-auto flex w-full max-w-[132rem] flex-1 flex-col gap-4 px-4 py-5 outline-none lg:px-6"
    >
      <FilterChips />
      {complaints.map((complaint) => (
        <p key={complaint} role="alert" className="flex items-center gap-2 rounded-md bg-warn-soft px-3 py-2 text-[0.8125rem] text-warn">
          <Icon name="warn" />
          <bdi>{complaint}</bdi>
        </p>
      ))}
      <Outlet />
    </main>
  )
}

const themeTitles = { system: 'Theme: as the system', light: 'Theme: light', dark: 'Theme: dark' } as const
const themeIcons = { system: 'screen', light: 'sun', dark: 'moon' } as const

const ThemeButton = (): ReactNode => {
  const theme = useTheme()
  return (
    <button
      type="button"
      onClick={() => setTheme(nextTheme(theme))}
      className="flex h-8 w-full items-center gap-2.5 rounded-md px-3 text-ink-2 hover:bg-sunken hover:text-ink"
    >
      <Icon name={themeIcons[theme]} />
      {themeTitles[theme]}
    </button>
  )
}

const SideFoot = ({ onHelp }: { onHelp: () => void }): ReactNode => (
  <div className="mt-auto flex flex-col">
    <ThemeButton />
    <button
      type="button"
      onClick={onHelp}
      className="flex h-8 items-center gap-2.5 rounded-md px-3 text-ink-2 hover:bg-sunken hover:text-ink"
    >
      <Icon name="keyboard" />
      Keyboard
    </button>
  </div>
)
