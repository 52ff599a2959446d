import type { ReactNode } from 'react'
import { changeOf, percent } from '../format/numbers.ts'
import { approximate } from '../format/sums.ts'
import { useView } from '../state/use-view.ts'
import { whereWith } from '../state/view.ts'
import { Change, FigureText } from '../ui/figure.tsx'
import { ViewLink } from '../ui/view-link.tsx'
import type { Stack } from './stack-of.ts'

/** Which colour is what, how much of the whole, and how it moved. A name narrows the page to it. */
export const StackLegend = ({ stack, by, against }: { stack: Stack; by: string; against: string }): ReactNode => {
  const { info, layers, answer } = stack
  const { filters } = useView()
  const whole = approximate(answer.totals[info.name]) ?? 0
  return (
    <table className="h-fit w-full text-[0.8125rem]">
      <caption className="sr-only">
        {info.title} by {by}
      </caption>
      <tbody>
        {layers.map((layer) => (
          <tr key={layer.name} className="border-b border-line/70 last:border-0">
            <th scope="row" className="w-full max-w-0 py-1.5 text-left font-normal">
              <span className="flex items-center gap-2">
                <span aria-hidden="true" className="size-2.5 shrink-0 rounded-xs" style={{ background: layer.color }} />
                {layer.value === undefined ? (
                  <span className="truncate text-ink-2">{layer.name}</span>
                ) : (
                  <ViewLink
                    to="."
                    patch={{ where: whereWith(filters, by, layer.value) }}
                    className="min-w-0 truncate hover:underline"
                    title={`Only ${layer.name}`}
                  >
                    <bdi>{layer.name}</bdi>
                  </ViewLink>
                )}
              </span>
            </th>
            <td className="py-1.5 pl-3 text-right font-medium whitespace-nowrap">
              <FigureText info={info} value={layer.total} row={layer.row} />
            </td>
            <td className="py-1.5 pl-3 text-right text-xs whitespace-nowrap text-ink-3">
              {info.isSum && whole > 0 ? percent((approximate(layer.total) ?? 0) / whole) : ''}
            </td>
            <td className="w-14 py-1.5 pl-2 text-right">
              {layer.value !== undefined && (
                <Change change={changeOf(approximate(layer.total), approximate(layer.before))} against={against} />
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
