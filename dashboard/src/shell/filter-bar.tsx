import { type ReactNode, useState } from 'react'
import { useQuestion } from '../api/use-question.ts'
import { attributes, attributeTitle, figureText, measureInfo, valueText } from '../state/measures.ts'
import { useSetView, useView } from '../state/use-view.ts'
import { type Filter, filterText, whereWithout } from '../state/view.ts'
import { Select } from '../ui/controls.tsx'
import { Icon } from '../ui/icon.tsx'
import { Asked } from '../ui/states.tsx'
import { Drop, DropClose } from '../ui/tip.tsx'

/** What the page is narrowed to. Each filter is a word that can be taken away. */
export const FilterChips = (): ReactNode => {
  const { filters } = useView()
  const setView = useSetView()
  if (filters.length === 0) return null
  return (
    <ul aria-label="Filters" className="flex flex-wrap gap-1.5">
      {filters.map((filter, index) => (
        <li key={filterText(filter)} className="flex h-7 items-center rounded-md border border-line bg-surface pl-2 text-xs">
          <span className="text-ink-3">
            {attributeTitle(filter.by)} {filter.isNot ? 'is not' : 'is'}
          </span>
          <bdi className="max-w-64 truncate pl-1 font-medium">{filter.values.map((value) => valueText(filter.by, value)).join(', ')}</bdi>
          <button
            type="button"
            aria-label={`Remove the filter on ${attributeTitle(filter.by)}`}
            className="flex h-full items-center px-1.5 text-ink-3 hover:text-ink"
            onClick={() => setView({ where: whereWithout(filters, index), after: undefined })}
          >
            <Icon name="close" className="size-3" />
          </button>
        </li>
      ))}
      {filters.length > 1 && (
        <li>
          <button
            type="button"
            className="h-7 px-1.5 text-xs text-ink-2 underline underline-offset-2"
            onClick={() => setView({ where: [], after: undefined })}
          >
            Clear all
          </button>
        </li>
      )}
    </ul>
  )
}

export const FilterButton = (): ReactNode => (
  <Drop
    label="Add a filter"
    align="end"
    trigger={
      <button type="button" className="field flex items-center gap-1.5 text-ink-2" aria-label="Add a filter">
        <Icon name="filter" className="size-3.5" />
        <span className="max-xl:sr-only">Filter</span>
      </button>
    }
  >
    <FilterForm />
  </Drop>
)

const listed = 40

const FilterForm = (): ReactNode => {
  const [by, setBy] = useState('agent')
  const [text, setText] = useState('')
  const { filters } = useView()
  const setView = useSetView()
  const add = (value: string | null, isNot: boolean): void => {
    const filter: Filter = { by, values: [value], isNot }
    setView({ where: [...filters.map(filterText), filterText(filter)], after: undefined })
  }
  return (
    <div className="flex w-80 max-w-full flex-col gap-2">
      <Select
        label="Attribute"
        value={by}
        onChange={setBy}
        options={attributes.map(({ name, title }) => ({ value: name, title }))}
        className="[&_select]:w-full [&>span]:w-full"
      />
      <input
        aria-label="Value"
        placeholder="Type a value, or choose one"
        value={text}
        onChange={(event) => setText(event.target.value)}
        className="field"
        autoComplete="off"
      />
      {text !== '' && (
        <DropClose asChild>
          <button type="button" className="field text-left" onClick={() => add(text, false)}>
            {attributeTitle(by)} is <bdi className="font-medium">{text}</bdi>
          </button>
        </DropClose>
      )}
      <FilterValues by={by} text={text} onAdd={add} />
    </div>
  )
}

const cost = measureInfo('cost')

const FilterValues = ({
  by,
  text,
  onAdd,
}: {
  by: string
  text: string
  onAdd: (value: string | null, isNot: boolean) => void
}): ReactNode => {
  const values = useQuestion({ measures: ['cost'], by: [by], top: listed })
  return (
    <Asked query={values}>
      {({ rows }) => (
        <ul className="max-h-72 overflow-auto">
          {rows
            .filter((row) => row.folded === undefined && valueText(by, row[by]).toLowerCase().includes(text.toLowerCase()))
            .map((row) => (
              <li key={String(row[by])} className="group flex items-center rounded hover:bg-sunken">
                <DropClose asChild>
                  <button
                    type="button"
                    className="flex min-w-0 flex-1 items-center gap-3 px-2 py-1 text-left"
                    onClick={() => onAdd(row[by] as string | null, false)}
                  >
                    <bdi className="mr-auto truncate">{valueText(by, row[by])}</bdi>
                    <span className="text-xs text-ink-3">{figureText(cost, row.cost)}</span>
                  </button>
                </DropClose>
                <DropClose asChild>
                  <button
                    type="button"
                    aria-label={`Leave out ${valueText(by, row[by])}`}
                    title="Leave out"
                    className="px-2 py-1 text-xs text-ink-3 hover:text-ink"
                    onClick={() => onAdd(row[by] as string | null, true)}
                  >
                    not
                  </button>
                </DropClose>
              </li>
            ))}
        </ul>
      )}
    </Asked>
  )
}
