import type { IconName } from '../ui/icon.tsx'

export interface PageInfo {
  readonly path: string
  readonly title: string
  readonly icon: IconName
  /** After "g". */
  readonly key: string
  readonly group: 'look' | 'by' | 'hold'
}

/** Every page that the menu, the shortcuts and the palette lead to. */
export const pages: readonly PageInfo[] = [
  { path: '/', title: 'Overview', icon: 'overview', key: 'o', group: 'look' },
  { path: '/explore', title: 'Explore', icon: 'explore', key: 'e', group: 'look' },
  { path: '/runs', title: 'Runs', icon: 'runs', key: 'r', group: 'look' },
  { path: '/sessions', title: 'Sessions', icon: 'sessions', key: 's', group: 'look' },
  { path: '/agents', title: 'Agents', icon: 'agents', key: 'a', group: 'by' },
  { path: '/tasks', title: 'Tasks', icon: 'tasks', key: 't', group: 'by' },
  { path: '/models', title: 'Models', icon: 'models', key: 'm', group: 'by' },
  { path: '/tools', title: 'Tools', icon: 'tools', key: 'u', group: 'by' },
  { path: '/releases', title: 'Releases', icon: 'releases', key: 'l', group: 'by' },
  { path: '/budgets', title: 'Budgets', icon: 'budgets', key: 'b', group: 'hold' },
  { path: '/alerts', title: 'Alerts', icon: 'alerts', key: 'n', group: 'hold' },
  { path: '/check', title: 'Self-check', icon: 'tick', key: 'c', group: 'hold' },
  { path: '/prices', title: 'Prices', icon: 'prices', key: 'p', group: 'hold' },
  { path: '/start', title: 'Get started', icon: 'start', key: 'i', group: 'hold' },
]

export const groups = [
  { name: 'look', title: undefined },
  { name: 'by', title: 'Where it goes' },
  { name: 'hold', title: 'Control' },
] as const
