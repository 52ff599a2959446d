import { useSyncExternalStore } from 'react'

/** `system` follows the machine. A preference of the viewer and not of the view: it stays out of the address. */
export type Theme = 'system' | 'light' | 'dark'

const storageKey = 'taximeter.theme'
const listeners = new Set<() => void>()
const dark = window.matchMedia('(prefers-color-scheme: dark)')

const tell = (): void => {
  for (const listener of listeners) listener()
}
dark.addEventListener('change', tell)

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

const chosen = (): Theme => {
  const theme = document.documentElement.dataset.theme
  return theme === 'light' || theme === 'dark' ? theme : 'system'
}

const seen = (): 'light' | 'dark' => {
  const theme = chosen()
  return theme === 'system' ? (dark.matches ? 'dark' : 'light') : theme
}

export const setTheme = (theme: Theme): void => {
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
  try {
    if (theme === 'system') localStorage.removeItem(storageKey)
    else localStorage.setItem(storageKey, theme)
  } catch {
    // A browser that keeps nothing still changes this page.
  }
  tell()
}

export const useTheme = (): Theme => useSyncExternalStore(subscribe, chosen)

/** What is on screen: drawings on a canvas have to be made again when it changes. */
export const useSeenTheme = (): 'light' | 'dark' => useSyncExternalStore(subscribe, seen)

const themes: readonly Theme[] = ['system', 'light', 'dark']

export const nextTheme = (theme: Theme): Theme => themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system'
