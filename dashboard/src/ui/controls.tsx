import { type ReactNode, useId } from 'react'
import { Icon, type IconName } from './icon.tsx'

interface SelectProps {
  readonly label: string
  readonly value: string
  readonly options: readonly { readonly value: string; readonly title: string }[]
  readonly onChange: (value: string) => void
  readonly isLabelShown?: boolean
  readonly className?: string
}

/** The browser's own list: it works with every key, screen reader and thumb. */
export const Select = ({ label, value, options, onChange, isLabelShown = false, className = '' }: SelectProps): ReactNode => {
  const id = useId()
  const isKnown = options.some((option) => option.value === value)
  return (
    <span className={`inline-flex items-center gap-2 ${className}`}>
      <label htmlFor={id} className={isLabelShown ? 'text-xs text-ink-3' : 'sr-only'}>
        {label}
      </label>
      <span className="relative inline-flex max-w-full min-w-0">
        <select
          id={id}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          className="field max-w-full min-w-0 appearance-none truncate pr-7"
        >
          {!isKnown && <option value={value}>{value}</option>}
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.title}
            </option>
          ))}
        </select>
        <Icon name="down" className="pointer-events-none absolute top-2 right-2 size-3.5 text-ink-3" />
      </span>
    </span>
  )
}

interface SegmentedProps<T extends string> {
  readonly label: string
  readonly value: T | undefined
  readonly options: readonly { readonly value: T; readonly title: string; readonly short?: string }[]
  readonly onChange: (value: T) => void
}

/** One of a few, all in sight. Real radio buttons underneath: arrows move, the group is one stop of the Tab key. */
export const Segmented = <T extends string>({ label, value, options, onChange }: SegmentedProps<T>): ReactNode => {
  const name = useId()
  return (
    <fieldset className="inline-flex h-8 min-w-0 shrink-0 rounded-md border border-line bg-surface p-0.5">
      <legend className="sr-only">{label}</legend>
      {options.map((option) => (
        <label
          key={option.value}
          className="relative flex cursor-pointer items-center rounded px-2.5 text-[0.8125rem] whitespace-nowrap text-ink-2 hover:text-ink has-checked:bg-sunken has-checked:font-medium has-checked:text-ink has-checked:shadow-[inset_0_-2px_0_var(--accent)] has-focus-visible:outline-2 has-focus-visible:outline-[var(--focus)]"
        >
          <input
            type="radio"
            name={name}
            className="sr-only"
            checked={option.value === value}
            onChange={() => onChange(option.value)}
            {...(option.short !== undefined && { 'aria-label': option.title })}
          />
          {option.short ?? option.title}
        </label>
      ))}
    </fieldset>
  )
}

interface IconButtonProps {
  readonly icon: IconName
  readonly label: string
  readonly onClick: () => void
  readonly isPressed?: boolean
}

export const IconButton = ({ icon, label, onClick, isPressed }: IconButtonProps): ReactNode => (
  <button
    type="button"
    aria-label={label}
    title={label}
    onClick={onClick}
    {...(isPressed !== undefined && { 'aria-pressed': isPressed })}
    className="inline-flex size-8 shrink-0 items-center justify-center rounded-md text-ink-2 hover:bg-sunken hover:text-ink aria-pressed:bg-sunken aria-pressed:text-ink"
  >
    <Icon name={icon} />
  </button>
)

export const Badge = ({ tone = 'plain', children }: { tone?: Tone; children: ReactNode }): ReactNode => (
  <span className={`inline-flex items-center gap-1 rounded px-1.5 py-0.5 text-xs font-medium whitespace-nowrap ${toneClasses[tone]}`}>
    {children}
  </span>
)

export type Tone = 'plain' | 'ok' | 'warn' | 'bad' | 'accent'

const toneClasses: Readonly<Record<Tone, string>> = {
  plain: 'bg-sunken text-ink-2',
  ok: 'bg-ok-soft text-ok',
  warn: 'bg-warn-soft text-warn',
  bad: 'bg-bad-soft text-bad',
  accent: 'bg-accent text-on-accent',
}
