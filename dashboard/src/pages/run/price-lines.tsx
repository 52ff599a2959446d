import type { ReactNode } from 'react'
import type { ChargeJson, LineJson } from '../../../../src/server/api.ts'
import { compact, count, exactUsd } from '../../format/numbers.ts'

type Priced = Exclude<ChargeJson, { basis: 'unpriced' }>

/** count × rate ÷ per (× multiplier) = total, line by line, and their sum. */
export const PriceLines = ({ charge }: { charge: Priced }): ReactNode => (
  <table className="w-full text-xs">
    <caption className="sr-only">How the call was priced</caption>
    <thead>
      <tr className="text-ink-3">
        <th className="py-1 text-left font-medium">Unit</th>
        <th className="py-1 pl-2 text-right font-medium">Count</th>
        <th className="py-1 pl-2 text-right font-medium">Rate</th>
        <th className="py-1 pl-2 text-right font-medium">Total</th>
      </tr>
    </thead>
    <tbody>
      {charge.lines.map((line) => (
        <tr key={line.unit} className="border-t border-line align-top">
          <td className="py-1.5">
            {line.unit.replaceAll('_', ' ')}
            {line.pricedAs !== undefined && <span className="block text-ink-3">priced as {line.pricedAs.replaceAll('_', ' ')}</span>}
          </td>
          <td className="py-1.5 pl-2 text-right">{count(line.count)}</td>
          <td className="py-1.5 pl-2 text-right">{rateText(line)}</td>
          <td className="py-1.5 pl-2 text-right font-medium">{exactUsd(line.totalUsd)}</td>
        </tr>
      ))}
    </tbody>
    <tfoot>
      <tr className="border-t border-edge">
        <th colSpan={3} className="py-1.5 text-left font-medium">
          Total
        </th>
        <td className="py-1.5 pl-2 text-right font-semibold">{exactUsd(charge.totalUsd)}</td>
      </tr>
    </tfoot>
  </table>
)

const rateText = (line: LineJson): ReactNode => (
  <>
    {exactUsd(line.rateUsd)}
    <span className="block text-ink-3">
      {line.per === 1 ? 'each' : `per ${line.per >= 1_000 ? compact(line.per).replace('.00', '') : line.per}`}
      {line.multiplier !== undefined && ` × ${line.multiplier}`}
    </span>
  </>
)
