import { useNavigate } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef } from 'react'
import { presets } from '../state/period.ts'
import { nextTheme, setTheme, useTheme } from '../state/theme.ts'
import { useCarried, useSetView } from '../state/use-view.ts'
import { IconButton } from '../ui/controls.tsx'
import { pages } from './pages.ts'

/** One letter does what is done often; "g" and a letter goes to a page. Never while typing, never with a modifier. */
export const useShortcuts = (openHelp: () => void, openPalette: () => void): void => {
  const navigate = useNavigate()
  const setView = useSetView()
  const carry = useCarried()
  const theme = useTheme()
  const act = useRef<(key: string, afterG: boolean) => boolean>(() => false)
  act.current = (key, afterG) => {
    if (afterG) {
      const page = pages.find((each) => each.key === key)
      if (page !== undefined) void navigate({ to: page.path, search: carry() as never })
      return page !== undefined
    }
    const preset = presets[Number(key) - 1]
    if (preset !== undefined) setView({ last: preset.name, from: undefined, to: undefined, after: undefined })
    else if (key === 'd') setTheme(nextTheme(theme))
    else if (key === '?') openHelp()
    else if (key === '/') openPalette()
    else return false
    return true
  }
  useEffect(() => {
    let afterG = 0
    const press = (event: KeyboardEvent): void => {
      if ((event.metaKey || event.ctrlKey) && event.key === 'k') {
        event.preventDefault()
        openPalette()
        return
      }
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target) || document.querySelector('dialog[open]') !== null)
        return
      const isAfterG = event.timeStamp - afterG < 1_200
      afterG = event.key === 'g' && !isAfterG ? event.timeStamp : Number.NEGATIVE_INFINITY
      if (act.current(event.key, isAfterG)) event.preventDefault()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [openHelp, openPalette])
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ['INPUT', 'SELECT', 'TEXTAREA'].includes(target.tagName)) &&
  !isRadio(target)

const isRadio = (target: HTMLElement): boolean => target instanceof HTMLInputElement && target.type === 'radio'

const general = [
  ['/ or Ctrl K', 'Go to a page, a run or a session'],
  ['1 2 3 4', 'Today, 24 hours, 7 days, 30 days'],
  ['d', 'Light, dark or as the system'],
  ['← →', 'Read a chart that has the focus'],
  ['Enter', 'Zoom into the bar that is read'],
  ['?', 'This list'],
] as const

export const ShortcutHelp = ({ onClose }: { onClose: () => void }): ReactNode => (
  <div className="p-5">
    <div className="mb-3 flex items-center justify-between">
      <h2 className="text-base font-semibold">Keyboard</h2>
      <IconButton icon="close" label="Close" onClick={onClose} />
    </div>
    <div className="grid gap-x-8 gap-y-1.5 sm:grid-cols-2">
      {general.map(([keys, what]) => (
        <Shortcut key={keys} keys={keys} what={what} />
      ))}
      {pages.map((page) => (
        <Shortcut key={page.path} keys={`g ${page.key}`} what={page.title} />
      ))}
    </div>
  </div>
)

const Shortcut = ({ keys, what }: { keys: string; what: string }): ReactNode => (
  <p className="flex items-baseline justify-between gap-4">
    <span className="text-ink-2">{what}</span>
    <kbd className="rounded border border-line bg-sunken px-1.5 font-mono text-xs whitespace-nowrap">{keys}</kbd>
  </p>
)
