import type { ReactNode } from 'react'
import type { Answer } from '../../../src/server/api.ts'
import { basisInfo, trustOf } from '../format/coverage.ts'
import { count, percent, usd } from '../format/numbers.ts'
import { useView } from '../state/use-view.ts'
import { whereWith } from '../state/view.ts'
import { Icon } from './icon.tsx'
import { Drop } from './tip.tsx'
import { ViewLink } from './view-link.tsx'

/** How much of a total is sure, with the whole story one click away. */
export const CoverageMark = ({ coverage }: { coverage: Answer['coverage'] }): ReactNode => {
  const trust = trustOf(coverage)
  if (trust.shareSure === undefined) return <span className="text-xs text-ink-3">no calls</span>
  const isSure = trust.mark === ''
  return (
    <Drop
      label="How sure these figures are"
      align="end"
      trigger={
        <button
          type="button"
          className="inline-flex items-center gap-1.5 rounded px-1 py-0.5 text-xs text-ink-2 hover:bg-sunken"
          aria-label={`Coverage: ${trust.sentence}`}
        >
          {isSure ? <Icon name="check" className="size-3.5 text-ok" /> : <CoverageBar coverage={coverage} />}
          <span>{percent(trust.shareSure)} priced</span>
        </button>
      }
    >
      <CoverageTable coverage={coverage} />
    </Drop>
  )
}

const tones: Readonly<Record<string, string>> = {
  reported: 'bg-ok',
  computed: 'bg-ok',
  partial: 'bg-warn',
  estimated: 'bg-warn',
  unpriced: 'bg-bad',
}

/** The bases as shares of a bar; what is there is never too thin to see. */
export const CoverageBar = ({ coverage, className = 'h-1.5 w-10' }: { coverage: Answer['coverage']; className?: string }): ReactNode => (
  <span aria-hidden="true" className={`inline-flex gap-px overflow-hidden rounded-full ${className}`}>
    {basisInfo
      .filter(({ basis }) => coverage[basis].calls > 0)
      .map(({ basis }) => (
        <span key={basis} className={`min-w-0.5 ${tones[basis]}`} style={{ flexGrow: coverage[basis].calls }} />
      ))}
  </span>
)

export const CoverageTable = ({ coverage }: { coverage: Answer['coverage'] }): ReactNode => {
  const { filters } = useView()
  const { calls, sentence } = trustOf(coverage)
  return (
    <div className="flex flex-col gap-2">
      <p className="font-medium">{sentence}</p>
      <table className="w-full">
        <thead>
          <tr className="text-left text-2xs text-ink-3 uppercase">
            <th className="py-1 pr-4 font-medium">Basis</th>
            <th className="py-1 pr-4 text-right font-medium">Calls</th>
            <th className="py-1 pr-4 text-right font-medium">Share</th>
            <th className="py-1 text-right font-medium">Cost</th>
          </tr>
        </thead>
        <tbody>
          {basisInfo.map(({ basis, title, about }) => (
            <tr key={basis} className="border-t border-line align-top">
              <td className="max-w-52 py-1.5 pr-4">
                <span className="flex items-center gap-2 font-medium">
                  <span aria-hidden="true" className={`size-2 rounded-full ${tones[basis]}`} />
                  {coverage[basis].calls > 0 ? (
                    <ViewLink to="/calls" patch={{ where: whereWith(filters, 'basis', basis) }} className="link">
                      {title}
                    </ViewLink>
                  ) : (
                    title
                  )}
                </span>
                <span className="block text-xs text-ink-3">{about}</span>
              </td>
              <td className="py-1.5 pr-4 text-right whitespace-nowrap">{count(coverage[basis].calls)}</td>
              <td className="py-1.5 pr-4 text-right whitespace-nowrap">{calls === 0 ? '–' : percent(coverage[basis].calls / calls)}</td>
              <td className="py-1.5 text-right whitespace-nowrap">{basis === 'unpriced' ? '–' : usd(coverage[basis].cost)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
