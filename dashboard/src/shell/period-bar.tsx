import { type FormEvent, type ReactNode, useId } from 'react'
import { useLive } from '../api/live-context.tsx'
import { clockOf, offsetName } from '../format/times.ts'
import { offsetAt } from '../state/buckets.ts'
import { presets, rangeOf, searchOfPeriod } from '../state/period.ts'
import { useSetView, useView, viewerZone } from '../state/use-view.ts'
import { Segmented } from '../ui/controls.tsx'
import { Icon } from '../ui/icon.tsx'
import { Drop, DropClose } from '../ui/tip.tsx'

const short = { today: 'Today', '24h': '24 h', '7d': '7 d', '30d': '30 d' } as const

/** The period of everything on the page, and the clock that it is told by. */
export const PeriodBar = (): ReactNode => {
  const { period } = useView()
  const setView = useSetView()
  const preset = period.kind === 'today' ? 'today' : period.kind === 'last' ? period.span : undefined
  return (
    <div className="flex min-w-0 items-center gap-2">
      <Segmented
        label="Period"
        value={preset}
        options={presets.map(({ name, title }) => ({ value: name as string, title, short: short[name] }))}
        onChange={(last) => setView({ last, from: undefined, to: undefined, after: undefined })}
      />
      <CustomPeriod />
      <ZoneChoice />
    </div>
  )
}

const CustomPeriod = (): ReactNode => {
  const { period, zone } = useView()
  const setView = useSetView()
  const live = useLive()
  const clock = clockOf(zone)
  const range = rangeOf(period, live.now(), zone)
  const isChosen = period.kind === 'between'
  const apply = (event: FormEvent<HTMLFormElement>): void => {
    const data = new FormData(event.currentTarget)
    event.preventDefault()
    const from = wallInstant(String(data.get('from')), zone)
    const to = wallInstant(String(data.get('to')), zone)
    if (from !== undefined && to !== undefined && from < to) setView({ ...searchOfPeriod({ kind: 'between', from, to }), after: undefined })
  }
  return (
    <span className="flex items-center">
      <Drop
        label="Choose a period"
        trigger={
          <button
            type="button"
            className={`field flex items-center gap-1.5 whitespace-nowrap ${isChosen ? 'rounded-r-none shadow-[inset_0_-2px_0_var(--accent)]' : 'text-ink-2'}`}
            aria-label="Choose a period"
          >
            <Icon name="clock" className="size-3.5" />
            {isChosen ? (
              <>
                <span className="max-lg:hidden">
                  {clock.minute(range.from)} – {clock.minute(range.to)}
                </span>
                <span className="lg:hidden">{clock.day(range.from)}…</span>
              </>
            ) : (
              <span className="max-xl:sr-only">Custom</span>
            )}
          </button>
        }
      >
        <form onSubmit={apply} className="flex flex-col gap-3">
          <TimeField name="from" label="From" value={clock.input(range.from)} />
          <TimeField name="to" label="To" value={clock.input(range.to)} />
          <p className="text-xs text-ink-3">Times of {zone}. Dragging across a chart chooses a period, too.</p>
          <DropClose asChild>
            <button type="submit" className="field bg-ink font-medium text-paper hover:opacity-90">
              Show this period
            </button>
          </DropClose>
        </form>
      </Drop>
      {isChosen && (
        <button
          type="button"
          aria-label="Back to the last 7 days"
          title="Back to the last 7 days"
          className="field rounded-l-none border-l-0 px-1.5 text-ink-2"
          onClick={() => setView({ last: undefined, from: undefined, to: undefined, after: undefined })}
        >
          <Icon name="close" className="size-3.5" />
        </button>
      )}
    </span>
  )
}

const TimeField = ({ name, label, value }: { name: string; label: string; value: string }): ReactNode => {
  const id = useId()
  return (
    <div className="flex items-center gap-3">
      <label htmlFor={id} className="w-12 text-ink-2">
        {label}
      </label>
      <input id={id} name={name} type="datetime-local" required defaultValue={value} className="field flex-1" />
    </div>
  )
}

/** What a clock on the wall of a zone shows → the instant. */
const wallInstant = (text: string, zone: string): number | undefined => {
  const wall = Date.parse(`${text}Z`)
  if (Number.isNaN(wall)) return undefined
  const guess = wall - offsetAt(wall, zone)
  return wall - offsetAt(guess, zone)
}

export const ZoneChoice = (): ReactNode => {
  const { zone, isZoneNamed } = useView()
  const setView = useSetView()
  const live = useLive()
  const id = useId()
  const zones = Intl.supportedValuesOf('timeZone')
  const choose = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const name = String(new FormData(event.currentTarget).get('zone')).trim()
    setView({ tz: name === viewerZone ? undefined : name })
  }
  return (
    <Drop
      label="Choose a time zone"
      align="end"
      trigger={
        <button
          type="button"
          className="field text-ink-2 max-sm:hidden"
          aria-label={`Time zone ${zone}`}
          title={`Days begin and end in ${zone}`}
        >
          {isZoneNamed ? zone : offsetName(zone, live.now())}
        </button>
      }
    >
      <form onSubmit={choose} className="flex w-72 flex-col gap-3">
        <label htmlFor={id}>Days, weeks and months are cut in the time of</label>
        <input id={id} name="zone" list={`${id}-zones`} defaultValue={zone} className="field" autoComplete="off" />
        <datalist id={`${id}-zones`}>
          {['UTC', ...zones].map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <div className="flex gap-2">
          <DropClose asChild>
            <button type="submit" className="field bg-ink font-medium text-paper hover:opacity-90">
              Use this zone
            </button>
          </DropClose>
          <DropClose asChild>
            <button type="button" className="field" onClick={() => setView({ tz: undefined })}>
              Mine
            </button>
          </DropClose>
          <DropClose asChild>
            <button type="button" className="field" onClick={() => setView({ tz: 'UTC' })}>
              UTC
            </button>
          </DropClose>
        </div>
      </form>
    </Drop>
  )
}
