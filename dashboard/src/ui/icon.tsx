import type { ReactNode } from 'react'

/** Line drawings on a grid of 16, in the colour of the text beside them. They say nothing alone: their button or link does. */
export const Icon = ({ name, className = 'size-4' }: { name: IconName; className?: string }): ReactNode => (
  <svg
    aria-hidden="true"
    viewBox="0 0 16 16"
    fill="none"
    stroke="currentColor"
    strokeWidth="1.5"
    strokeLinecap="round"
    strokeLinejoin="round"
    className={`shrink-0 ${className}`}
  >
    <path d={paths[name]} />
  </svg>
)

const paths = {
  overview: 'M2.5 11a5.5 5.5 0 0 1 11 0M8 11l2.5-3.500M2 13.500h12',
  explore: 'M2.500 13.500V2.500M2.500 13.500h11M5.500 10.500l2.500-3 2 1.500 3-4.500',
  runs: 'M2.500 4h7M5 8h7M7.500 12h6',
  sessions: 'M3 3.500h10v7H7l-3 2.500v-2.500H3z',
  agents: 'M4 6h8v6H4zM8 6V3.500M6.500 9h.01M9.500 9h.01M2 8.500v2M14 8.500v2',
  tasks: 'M3 4.500l1 1 2-2M3 11l1 1 2-2M8.500 4.500h5M8.500 11h5',
  models: 'M8 2l5.500 3v6L8 14l-5.500-3V5zM2.500 5L8 8l5.500-3M8 8v6',
  tools:
    'M10 2.500a3.500 3.500 0 0 0-3.300 4.700L2.500 11.500l2 2 4.300-4.200A3.500 3.500 0 0 0 13.300 4.800L11 7 9 5l2.200-2.300A3.500 3.500 0 0 0 10 2.500z',
  releases: 'M4.500 2.500v11M4.500 5.500a3 3 0 0 0 3 3h1a3 3 0 0 1 3 3v2M11.500 2.500v3M9.500 4l2-1.500 2 1.500',
  budgets: 'M8 2.500a5.500 5.500 0 1 0 5.500 5.500H8z M10.500 2a4.500 4.500 0 0 1 3.500 3.500h-3.500z',
  alerts: 'M8 2.500a4 4 0 0 0-4 4v2.500L2.500 11.500h11L12 9V6.500a4 4 0 0 0-4-4zM6.500 13.500h3',
  prices: 'M2.500 2.500h5L13.500 8.500l-5 5-6-6zM5.500 5.500h.01',
  start: 'M4 2.500l9 5.500-9 5.500z',
  menu: 'M2.500 4.500h11M2.500 8h11M2.500 11.500h11',
  close: 'M4 4l8 8M12 4l-8 8',
  down: 'M4 6l4 4 4-4',
  right: 'M6 4l4 4-4 4',
  left: 'M10 4L6 8l4 4',
  up: 'M4 10l4-4 4 4',
  search: 'M7 2.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9zM10.500 10.500l3 3',
  filter: 'M2.500 3.500h11L9.500 8.500v4l-3 1v-5z',
  sun: 'M8 5.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5zM8 1.500v1M8 13.500v1M1.500 8h1M13.500 8h1M3.400 3.400l.7.7M11.900 11.900l.7.7M3.400 12.600l.7-.7M11.900 4.100l.7-.7',
  moon: 'M13 9.500A5.500 5.500 0 0 1 6.500 3 5.500 5.500 0 1 0 13 9.500z',
  screen: 'M2.500 3h11v7.500h-11zM6 13.500h4',
  download: 'M8 2.500v7M5 7l3 3 3-3M3 13h10',
  table: 'M2.500 3h11v10h-11zM2.500 6.500h11M6.500 6.500V13',
  chart: 'M3 13.500V8M7 13.500V3M11 13.500V6',
  check: 'M3.500 8.500l3 3 6-7',
  tick: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM5.500 8.200l1.800 1.800 3.200-3.800',
  warn: 'M8 2.500l6 10.500H2zM8 6.500v3M8 11.300h.01',
  info: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 7.300V11M8 5h.01',
  clock: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.500V8l2.500 1.500',
  out: 'M6 3.500H3v9.500h9.500V10M9 2.500h4.500V7M13 3L7.500 8.500',
  reset: 'M3 8a5 5 0 1 1 1.500 3.500M3 12V8.500h3.500',
  keyboard: 'M1.500 4h13v8h-13zM4 6.500h.01M6.500 6.500h.01M9 6.500h.01M11.500 6.500h.01M5 9.500h6',
  copy: 'M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3',
  branch: 'M4 3v6a3 3 0 0 0 3 3h5M9.500 9.500L12 12l-2.500 2.500',
  retry: 'M13 8a5 5 0 1 1-1.500-3.500M13 2.500V5.500H10',
} as const

export type IconName = keyof typeof paths
