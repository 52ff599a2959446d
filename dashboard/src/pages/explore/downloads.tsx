import type { ReactNode } from 'react'
import type { QueryAnswer } from '../../../../src/server/api.ts'
import { questionParams } from '../../api/use-question.ts'
import { csvOf, saveFile } from '../../format/csv.ts'
import { type Interval, intervals } from '../../state/buckets.ts'
import { useView } from '../../state/use-view.ts'
import { filterText } from '../../state/view.ts'
import { Icon } from '../../ui/icon.tsx'
import type { Asked } from './use-asked.ts'

/** The answer as a file, with every digit; or the question for the API. */
export const Downloads = ({ answer, asked }: { answer: QueryAnswer; asked: Asked }): ReactNode => {
  const { filters } = useView()
  const columns = [...(asked.interval === undefined ? [] : ['bucket']), ...asked.by, ...asked.measures]
  const params = questionParams(
    {
      measures: asked.measures,
      by: asked.by,
      top: asked.top,
      where: filters.map(filterText),
      ...(intervals.includes(asked.interval as Interval) && { interval: asked.interval as Interval }),
    },
    { from: Date.parse(answer.from), to: Date.parse(answer.to) },
    answer.tz,
  )
  const name = `taximeter-${asked.measures[0]}-${answer.from.slice(0, 10)}`
  return (
    <span className="flex items-center gap-2">
      <button
        type="button"
        className="field flex items-center gap-1.5 text-ink-2"
        onClick={() => saveFile(`${name}.csv`, 'text/csv', csvOf(columns, answer.rows))}
      >
        <Icon name="download" className="size-3.5" />
        CSV
      </button>
      <button
        type="button"
        className="field flex items-center gap-1.5 text-ink-2"
        onClick={() => saveFile(`${name}.json`, 'application/json', JSON.stringify(answer, null, 2))}
      >
        <Icon name="download" className="size-3.5" />
        JSON
      </button>
      <a href={`/v1/query?${params}`} target="_blank" rel="noreferrer" className="field flex items-center gap-1.5 text-ink-2">
        <Icon name="out" className="size-3.5" />
        API
      </a>
    </span>
  )
}
