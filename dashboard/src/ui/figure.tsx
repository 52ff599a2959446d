import type { ReactNode } from 'react'
import { changeText, dash, exactUsd, usd } from '../format/numbers.ts'
import { exactFigure, type Figure, figureText, type MeasureInfo } from '../state/measures.ts'

/** An amount as a meter shows it: the dollars large, what is behind the point smaller. `mark` says how sure it is ("≥", "≈"). */
export const Money = ({
  value,
  mark = '',
  className = '',
}: {
  value: string | null | undefined
  mark?: string
  className?: string
}): ReactNode => {
  const text = usd(value)
  const [whole = text, fraction] = text.split('.')
  return (
    <span className={`meter-figure whitespace-nowrap ${className}`} title={exactUsd(value)}>
      {mark !== '' && text !== dash && (
        <span className="mr-1 text-[0.62em] font-normal text-ink-3">
          <span aria-hidden="true">{mark}</span>
          <span className="sr-only">{mark === '≥' ? 'at least' : 'about'} </span>
        </span>
      )}
      {whole}
      {fraction !== undefined && <span className="text-[0.62em] font-medium text-ink-2">.{fraction}</span>}
    </span>
  )
}

/** A figure of any measure with all its digits under the pointer. */
export const FigureText = ({ info, value }: { info: MeasureInfo; value: Figure }): ReactNode => (
  <span title={exactFigure(info, value)} className="whitespace-nowrap">
    {figureText(info, value)}
  </span>
)

interface ChangeProps {
  readonly change: number | undefined
  /** What it is compared with, for the title. */
  readonly against?: string
  /** More is neither good nor bad: calls, tokens, runs. */
  readonly isNeutral?: boolean
}

/** Up or down against what was before. Spending more is warm, spending less is green, and each has its arrow besides the colour. */
export const Change = ({ change, against, isNeutral = false }: ChangeProps): ReactNode => {
  if (change === undefined) {
    return (
      <span className="text-xs text-ink-3" title={against === undefined ? undefined : `Nothing to compare with: ${against}`}>
        {dash}
      </span>
    )
  }
  const isFlat = Math.abs(change) < 0.0005
  const tone = isFlat || isNeutral ? 'text-ink-2' : change > 0 ? 'text-up' : 'text-down'
  return (
    <span className={`text-xs font-medium whitespace-nowrap ${tone}`} title={against === undefined ? undefined : `Against ${against}`}>
      <span aria-hidden="true">{isFlat ? '' : change > 0 ? '↑ ' : '↓ '}</span>
      {changeText(change)}
    </span>
  )
}
