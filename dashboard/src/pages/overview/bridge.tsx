import type { ReactNode } from 'react'
import type { ReadingJson } from '../../../../src/server/api.ts'
import { signedUsd } from '../../format/numbers.ts'
import { byCause, causeTitle, largest, sumOf } from './causes.ts'

const rowsMax = 6

/** From what was spent before to what is spent now, cause by cause: each bar begins where the one above it ended. */
export const Bridge = ({ parts }: { parts: ReadingJson['parts'] }): ReactNode => {
  const rows = largest(byCause(parts), rowsMax)
  const ends = [0]
  for (const row of rows) ends.push((ends.at(-1) ?? 0) + Number(row.amountUsd))
  const low = Math.min(...ends)
  const span = Math.max(...ends) - low || 1
  const sum = sumOf(parts)
  const place = (value: number): number => ((value - low) / span) * 100
  return (
    <table className="w-full text-[0.8125rem]">
      <caption className="sr-only">The change, by its causes</caption>
      <tbody>
        {rows.map((row, index) => (
          <tr key={row.name}>
            <th scope="row" className="max-w-40 truncate py-1 pr-3 text-left font-normal text-ink-2">
              {causeTitle(row.name)}
            </th>
            <td className="w-1/2 py-1">
              <Piece from={place(ends[index] ?? 0)} to={place(ends[index + 1] ?? 0)} zero={place(0)} />
            </td>
            <td className="py-1 pl-3 text-right font-medium whitespace-nowrap">{signedUsd(row.amountUsd)}</td>
          </tr>
        ))}
        <tr className="border-t border-line">
          <th scope="row" className="py-1.5 pr-3 text-left font-medium">
            In all
          </th>
          <td className="py-1.5">
            <Piece from={place(0)} to={place(Number(sum))} zero={place(0)} />
          </td>
          <td className="py-1.5 pl-3 text-right font-semibold whitespace-nowrap">{signedUsd(sum)}</td>
        </tr>
      </tbody>
    </table>
  )
}

const Piece = ({ from, to, zero }: { from: number; to: number; zero: number }): ReactNode => (
  <span aria-hidden="true" className="relative block h-3">
    <span className="absolute inset-y-[-4px] w-px bg-line" style={{ left: `${zero}%` }} />
    <span
      className={`absolute inset-y-0 min-w-0.5 rounded-[2px] ${to > from ? 'bg-up' : 'bg-down'}`}
      style={{ left: `${Math.min(from, to)}%`, width: `${Math.abs(to - from)}%` }}
    />
  </span>
)
