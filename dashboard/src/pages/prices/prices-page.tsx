import { type ReactNode, useDeferredValue, useEffect, useRef, useState } from 'react'
import type { PriceJson, PricesAnswer, Unit } from '../../../../src/server/api.ts'
import { usePrices } from '../../api/use-lists.ts'
import { compact, count, exactUsd } from '../../format/numbers.ts'
import { useSetView, useView } from '../../state/use-view.ts'
import { Card } from '../../ui/card.tsx'
import { Select } from '../../ui/controls.tsx'
import { type Column, DataTable } from '../../ui/data-table.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Pager } from '../../ui/pager.tsx'
import { SafeLink } from '../../ui/safe-link.tsx'
import { Asked, Empty } from '../../ui/states.tsx'
import { pathOf, ViewLink } from '../../ui/view-link.tsx'
import { ConfidenceBadge } from './confidence-badge.tsx'

/** The price book: what a model costs now, since when, and who says so. */
export const PricesPage = (): ReactNode => {
  const { search } = useView()
  const setView = useSetView()
  const query = usePrices(search.q, search.provider, search.after)
  const providers = query.data?.providers ?? []
  return (
    <>
      <PageHead
        title="Prices"
        note={
          query.data === undefined
            ? 'The price book'
            : `Price book ${query.data.version}. Dollars per million tokens unless it says otherwise.`
        }
      />
      <div className="flex flex-wrap gap-2">
        <SearchField />
        <Select
          label="Provider"
          value={search.provider ?? ''}
          options={[
            { value: '', title: 'All providers' },
            ...providers.map(({ id, name, models }) => ({ value: id, title: `${name} (${models})` })),
          ]}
          onChange={(provider) => setView({ provider: provider === '' ? undefined : provider, after: undefined })}
        />
      </div>
      <Card title={query.data === undefined ? 'Models' : `${count(query.data.matches)} models`} isFlush isStale={query.isPlaceholderData}>
        <Asked query={query}>
          {(data) =>
            data.prices.length === 0 ? (
              <Empty title="The book knows no such model" icon="prices">
                Its calls are unpriced and shown as such. A price of your own can be named in the configuration file.
              </Empty>
            ) : (
              <>
                <DataTable label="Prices" rows={data.prices} columns={columnsOf(data)} rowId={(row) => `${row.provider}/${row.model}`} />
                <Pager next={data.next} what="prices" />
              </>
            )
          }
        </Asked>
      </Card>
    </>
  )
}

/** Typing searches once the typing rests; the address follows, so that a search can be shared. */
const SearchField = (): ReactNode => {
  const { search } = useView()
  const setView = useSetView()
  const [text, setText] = useState(search.q ?? '')
  const settled = useDeferredValue(text)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (settled !== (search.q ?? '')) setView({ q: settled === '' ? undefined : settled, after: undefined }, { replace: true })
  }, [settled])
  // The address that somebody went back to is what is searched for; while one types it only follows.
  useEffect(() => {
    if (document.activeElement !== field.current) setText(search.q ?? '')
  }, [search.q])
  return (
    <input
      ref={field}
      type="search"
      aria-label="Search models"
      placeholder="Search models"
      value={text}
      onChange={(event) => setText(event.target.value)}
      className="field w-72 max-w-full"
      autoComplete="off"
    />
  )
}

const rateColumns: readonly { readonly unit: Unit; readonly title: string; readonly from?: 'sm' | 'md' | 'lg' }[] = [
  { unit: 'input', title: 'Input' },
  { unit: 'cache_read', title: 'Cache read', from: 'md' },
  { unit: 'cache_write_5m', title: 'Cache write', from: 'lg' },
  { unit: 'output', title: 'Output' },
]

const columnsOf = ({ units }: PricesAnswer): readonly Column<PriceJson>[] => [
  {
    id: 'model',
    title: 'Model',
    className: 'min-w-40 max-w-80',
    cell: (price) => (
      <ViewLink to={pathOf('/prices', price.provider, price.model)} className="block truncate font-medium hover:underline">
        <bdi>{price.model}</bdi>
      </ViewLink>
    ),
  },
  { id: 'provider', title: 'Provider', from: 'sm', className: 'max-w-44 truncate text-ink-2', cell: (price) => price.providerName },
  ...rateColumns.map(
    ({ unit, title, from }): Column<PriceJson> => ({
      id: unit,
      title,
      isNumber: true,
      ...(from !== undefined && { from }),
      cell: (price) => exactUsd(price.current?.rates[unit]),
    }),
  ),
  {
    id: 'others',
    title: 'Besides',
    from: '2xl',
    className: 'max-w-64 truncate text-xs text-ink-2',
    cell: (price) =>
      Object.entries(price.current?.rates ?? {})
        .filter(([unit]) => !rateColumns.some((column) => column.unit === unit))
        .map(
          ([unit, rate]) =>
            `${unit.replaceAll('_', ' ')} ${exactUsd(rate)}${units[unit as Unit]?.per === 1 ? '' : ` / ${compact(units[unit as Unit]?.per)}`}`,
        )
        .join(', ') || '–',
  },
  { id: 'since', title: 'Since', from: 'md', className: 'whitespace-nowrap', cell: (price) => price.current?.from ?? 'always' },
  {
    id: 'confidence',
    title: 'Confidence',
    from: 'sm',
    cell: (price) =>
      price.current === undefined ? (
        <span className="text-ink-3">not priced yet</span>
      ) : (
        <ConfidenceBadge confidence={price.current.confidence} />
      ),
  },
  {
    id: 'source',
    title: 'Source',
    from: 'lg',
    className: 'max-w-48 truncate',
    cell: (price) => (price.current?.source === undefined ? '–' : <SafeLink href={price.current.source} />),
  },
  {
    id: 'periods',
    title: 'History',
    isNumber: true,
    from: 'lg',
    cell: (price) => (price.periods === 1 ? '1 price' : `${price.periods} prices`),
  },
]
