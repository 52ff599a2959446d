import {
  type ColumnDef,
  createSortedRowModel,
  type Row,
  type RowData,
  rowSortingFeature,
  type SortingState,
  tableFeatures,
  useTable,
} from '@tanstack/react-table'
import { type ReactNode, type RefObject, useMemo, useRef } from 'react'
import { useSetView, useView } from '../state/use-view.ts'
import { Icon } from './icon.tsx'
import { Tip } from './tip.tsx'
import { useWindowed } from './use-windowed.ts'

export interface Column<T> {
  readonly id: string
  readonly title: string
  readonly cell: (row: T) => ReactNode
  /** What the column is sorted by; without it, it cannot be. `null` and `undefined` come last either way. */
  readonly sortBy?: (row: T) => number | string | null | undefined
  readonly isNumber?: boolean
  readonly about?: string
  /** Left out on narrow screens: the width from which it is shown. */
  readonly from?: 'sm' | 'md' | 'lg' | 'xl' | '2xl'
  readonly className?: string
}

interface DataTableProps<T> {
  readonly label: string
  readonly rows: readonly T[]
  readonly columns: readonly Column<T>[]
  readonly rowId: (row: T) => string
  /** "cost": rising, "-cost": falling. The address says otherwise by `sort`, unless the table is not the page's main one. */
  readonly sort?: string
  readonly isSortedByAddress?: boolean
}

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() })

const shown: Readonly<Record<string, string>> = {
  sm: 'max-sm:hidden',
  md: 'max-md:hidden',
  lg: 'max-lg:hidden',
  xl: 'max-xl:hidden',
  '2xl': 'max-2xl:hidden',
}
const rowHeight = 37
const windowedFrom = 150

/** A table that sorts by its address and draws only the rows in sight once they are many. */
export const DataTable = <T extends RowData>({
  label,
  rows,
  columns,
  rowId,
  sort,
  isSortedByAddress = false,
}: DataTableProps<T>): ReactNode => {
  const { search } = useView()
  const setView = useSetView()
  const order = (isSortedByAddress ? search.sort : undefined) ?? sort
  const sorting = useMemo(() => sortingOf(order), [order])
  const definitions = useMemo(() => columns.map(definitionOf), [columns])
  const table = useTable<typeof features, T>({
    features,
    columns: definitions,
    data: rows,
    state: { sorting },
    getRowId: rowId,
    enableSortingRemoval: false,
    onSortingChange: (updater) => {
      const next = typeof updater === 'function' ? updater(sorting) : updater
      setView({ sort: sortText(next), after: undefined }, { replace: true })
    },
  })
  const scroller = useRef<HTMLDivElement>(null)
  const sorted = table.getRowModel().rows
  const isWindowed = sorted.length > windowedFrom
  return (
    // A region that scrolls must be reachable by key, or what it hides is lost to those who use no pointer.
    <section
      ref={scroller}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: see above.
      tabIndex={0}
      className={`relative overflow-x-auto ${isWindowed ? 'max-h-[75vh] overflow-y-auto' : ''}`}
    >
      <table className="w-full border-collapse text-[0.8125rem]" aria-rowcount={isWindowed ? sorted.length + 1 : undefined}>
        <thead className={isWindowed ? 'sticky top-0 z-10 bg-surface' : ''}>
          <tr>
            {columns.map((column) => (
              <HeaderCell
                key={column.id}
                column={column}
                direction={sorting[0]?.id === column.id ? (sorting[0].desc ? 'descending' : 'ascending') : undefined}
                onSort={isSortedByAddress && column.sortBy ? () => table.getColumn(column.id)?.toggleSorting() : undefined}
              />
            ))}
          </tr>
        </thead>
        {isWindowed ? (
          <WindowedBody rows={sorted} columns={columns} scroller={scroller} />
        ) : (
          <tbody>
            {sorted.map((row) => (
              <BodyRow key={row.id} row={row.original} columns={columns} />
            ))}
          </tbody>
        )}
      </table>
    </section>
  )
}

const definitionOf = <T extends RowData>(column: Column<T>): ColumnDef<typeof features, T> => ({
  id: column.id,
  accessorFn: (row) => column.sortBy?.(row) ?? undefined,
  enableSorting: column.sortBy !== undefined,
  sortUndefined: 'last',
  sortDescFirst: column.isNumber ?? false,
  sortFn: (left: Row<typeof features, T>, right: Row<typeof features, T>, id: string) =>
    compare(left.getValue(id) as number | string, right.getValue(id) as number | string),
})

const compare = (left: number | string, right: number | string): number => {
  if (typeof left === 'number' && typeof right === 'number') return left - right
  return String(left).localeCompare(String(right), 'en', { numeric: true })
}

const sortingOf = (text: string | undefined): SortingState =>
  text === undefined ? [] : [{ id: text.replace(/^-/, ''), desc: text.startsWith('-') }]

const sortText = (sorting: SortingState): string | undefined =>
  sorting[0] === undefined ? undefined : `${sorting[0].desc ? '-' : ''}${sorting[0].id}`

interface HeaderCellProps<T> {
  readonly column: Column<T>
  readonly direction: 'ascending' | 'descending' | undefined
  readonly onSort: (() => void) | undefined
}

const HeaderCell = <T extends RowData>({ column, direction, onSort }: HeaderCellProps<T>): ReactNode => {
  const title = <span className={`text-balance ${column.isNumber ? 'text-right' : ''}`}>{column.title}</span>
  const arrow = direction !== undefined && <Icon name={direction === 'descending' ? 'down' : 'up'} className="size-3" />
  const content =
    onSort === undefined ? (
      <span className={`flex items-center gap-1 ${column.isNumber ? 'justify-end' : ''}`}>
        {title}
        {arrow}
      </span>
    ) : (
      <button
        type="button"
        onClick={onSort}
        className={`flex w-full items-center gap-1 hover:text-ink ${column.isNumber ? 'justify-end' : ''}`}
      >
        {title}
        {arrow}
      </button>
    )
  return (
    <th
      scope="col"
      aria-sort={direction}
      className={`border-b border-line px-3 py-2 text-left align-bottom text-xs font-medium text-ink-3 first:pl-4 last:pr-4 ${shown[column.from ?? ''] ?? ''}`}
    >
      {column.about === undefined ? content : <Tip text={column.about}>{<div>{content}</div>}</Tip>}
    </th>
  )
}

const BodyRow = <T extends RowData>({ row, columns, index }: { row: T; columns: readonly Column<T>[]; index?: number }): ReactNode => (
  <tr className="h-[2.3125rem] hover:bg-sunken/60" aria-rowindex={index}>
    {columns.map((column) => (
      <td
        key={column.id}
        className={`border-b border-line px-3 py-1.5 first:pl-4 last:pr-4 ${column.isNumber ? 'text-right whitespace-nowrap' : ''} ${shown[column.from ?? ''] ?? ''} ${column.className ?? ''}`}
      >
        {column.cell(row)}
      </td>
    ))}
  </tr>
)

interface WindowedBodyProps<T extends RowData> {
  readonly rows: readonly Row<typeof features, T>[]
  readonly columns: readonly Column<T>[]
  readonly scroller: RefObject<HTMLElement | null>
}

const WindowedBody = <T extends RowData>({ rows, columns, scroller }: WindowedBodyProps<T>): ReactNode => {
  const { first, last, before, after } = useWindowed(scroller, rows.length, rowHeight)
  return (
    <tbody>
      {before > 0 && <Spacer height={before} span={columns.length} />}
      {rows.slice(first, last).map((row, index) => (
        <BodyRow key={row.id} row={row.original} columns={columns} index={first + index + 2} />
      ))}
      {after > 0 && <Spacer height={after} span={columns.length} />}
    </tbody>
  )
}

const Spacer = ({ height, span }: { height: number; span: number }): ReactNode => (
  // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a row without content takes no focus.
  <tr aria-hidden="true">
    <td colSpan={span} style={{ height, padding: 0 }} />
  </tr>
)
