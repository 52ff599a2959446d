import { type LabelName, type MetricName, type MetricScale, metricList } from './metric-list.ts'

/**
 * One line of /metrics.
 *
 * `truth` is the exact tally. A counter is printed as the highest that its truth has been: when a charge is corrected downwards
 * the truth falls, and a counter that falls is read by Prometheus as a restart, after which everything counts as new.
 */
export interface Series {
  truth: bigint
  shown: bigint
  readonly head: string
  text: string
}

/** One metric with its series. A family that would grow past `seriesMax` counts what is new under `other`. */
export interface Family {
  readonly name: MetricName
  /** The series of these label values, in the order of the list; it begins at zero. */
  series(...values: readonly string[]): Series
  /** Takes every series away: for gauges that are read anew at each scrape. */
  clear(): void
  /** Sets every truth to zero, to be added up anew. What was shown stays. */
  reset(): void
  readonly size: number
  lines(): Iterable<string>
}

/** Label values as they are printed, at most `valuesMax` for each label; the rest is "other" and is counted. */
export interface Labels {
  /** The value to print, already escaped. */
  value(label: LabelName, raw: string): string
  overflowOf(label: LabelName): number
  countOverflow(label: LabelName): void
}

export const otherValue = 'other'

export const createLabels = (valuesMax: number): Labels => {
  const known = new Map<LabelName, Map<string, string>>()
  const overflow = new Map<LabelName, number>()
  const countOverflow = (label: LabelName): void => {
    overflow.set(label, (overflow.get(label) ?? 0) + 1)
  }
  return {
    value(label, raw) {
      let values = known.get(label)
      if (values === undefined) known.set(label, (values = new Map([[otherValue, otherValue]])))
      const value = values.get(raw)
      if (value !== undefined) return value
      if (values.size > valuesMax) {
        countOverflow(label)
        return otherValue
      }
      const made = escaped(raw)
      values.set(raw, made)
      return made
    },
    overflowOf: (label) => overflow.get(label) ?? 0,
    countOverflow,
  }
}

/** Lone surrogates cannot be written as UTF-8: two values that differ only in them would be one series, printed twice. */
const escaped = (raw: string): string => raw.toWellFormed().replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')

/** Labels whose values callers can make up. */
const openLabels: ReadonlySet<LabelName> = new Set(['model', 'release', 'tool', 'provider', 'error', 'value'])

export const createFamily = (name: MetricName, labels: Labels, seriesMax: number): Family => {
  const info: { readonly type: string; readonly labels: readonly LabelName[]; readonly scale: MetricScale } = metricList[name]
  const byKey = new Map<string, Series>()
  const print = info.type === 'counter' ? printCounter(info.scale) : printGauge(info.scale)

  const make = (values: readonly string[]): Series => {
    const pairs = info.labels.map((label, index) => `${label}="${values[index] ?? ''}"`)
    const series = { truth: 0n, shown: 0n, head: `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} `, text: '' }
    series.text = `${series.head}0\n`
    return series
  }

  return {
    name,
    series(...raw) {
      const values = info.labels.map((label, index) => labels.value(label, raw[index] ?? ''))
      const key = values.join('\u0000')
      const known = byKey.get(key)
      if (known !== undefined) return known
      if (byKey.size >= seriesMax && info.labels.some((label, index) => openLabels.has(label) && values[index] !== otherValue)) {
        for (const label of info.labels) if (openLabels.has(label)) labels.countOverflow(label)
        return this.series(...info.labels.map((label, index) => (openLabels.has(label) ? otherValue : (raw[index] ?? ''))))
      }
      const made = make(values)
      byKey.set(key, made)
      return made
    },
    clear: () => byKey.clear(),
    reset() {
      for (const series of byKey.values()) series.truth = 0n
    },
    get size() {
      return byKey.size
    },
    *lines() {
      // The name is there from the first scrape on, also where no series can be named yet.
      yield headOf(name, info.type)
      for (const series of byKey.values()) yield print(series)
    },
  }
}

export const headOf = (name: MetricName, type: string): string => `# HELP ${name} ${metricList[name].help}\n# TYPE ${name} ${type}\n`

/** Text is made again only when the value has changed: of many series few move between two scrapes. */
const printCounter =
  (scale: MetricScale) =>
  (series: Series): string => {
    if (series.truth > series.shown) {
      series.shown = series.truth
      series.text = `${series.head}${valueText(series.shown, scale)}\n`
    }
    return series.text
  }

const printGauge =
  (scale: MetricScale) =>
  (series: Series): string => {
    if (series.truth !== series.shown) {
      series.shown = series.truth
      series.text = `${series.head}${valueText(series.shown, scale)}\n`
    }
    return series.text
  }

const decimals: Readonly<Record<MetricScale, number>> = { count: 0, millionths: 6, usd: 12, cents: 10 }

/** Exact: what Prometheus then makes of the digits is its own float. */
export const valueText = (value: bigint, scale: MetricScale): string => {
  const places = decimals[scale]
  if (places === 0) return value.toString()
  const sign = value < 0n ? '-' : ''
  const digits = (value < 0n ? -value : value).toString().padStart(places + 1, '0')
  const point = digits.length - places
  let end = digits.length
  while (end > point && digits.charCodeAt(end - 1) === zero) end -= 1
  return end === point ? sign + digits.slice(0, point) : `${sign}${digits.slice(0, point)}.${digits.slice(point, end)}`
}

const zero = 48
