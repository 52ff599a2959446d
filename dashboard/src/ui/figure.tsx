import type { ReactNode } from 'react'
import { type Doubtful, doubtOf, type Mark } from '../format/doubt.ts'
import { changeText, dash, exactUsd, usd, usdWith } from '../format/numbers.ts'
import { exactFigure, type Figure, figureText, type MeasureInfo } from '../state/measures.ts'

/** An amount as a meter shows it: the dollars large, what is behind the point smaller. `mark` says how sure it is ("≥", "≈"). */
export const Money = ({
  value,
  mark = '',
  className = '',
}: {
  value: string | null | undefined
  mark?: Mark
  className?: string
}): ReactNode => {
  const text = usd(value)
  const [whole = text, fraction] = text.split('.')
  return (
    <span className={`meter-figure whitespace-nowrap ${className}`} title={exactUsd(value)}>
      {text !== dash && <DoubtMark mark={mark} className="text-[0.62em]" />}
      {text === dash && mark !== '' ? 'unpriced' : whole}
      {fraction !== undefined && <span className="text-[0.62em] font-medium text-ink-2">.{fraction}</span>}
    </span>
  )
}

/** How sure an amount is, before it: "≥" and "≈" are read out in words. */
export const DoubtMark = ({ mark, title, className = '' }: { mark: Mark; title?: string; className?: string }): ReactNode =>
  mark === '' ? null : (
    <span className={`mr-0.5 font-normal text-ink-3 ${className}`} title={title}>
      <span aria-hidden="true">{mark}</span>
      <span className="sr-only">{mark === '≥' ? 'at least' : 'about'} </span>
    </span>
  )

interface FigureTextProps {
  readonly info: MeasureInfo
  readonly value: Figure
  /** The row that it is from: an amount says how sure it is. */
  readonly row?: Doubtful | undefined
  /** Of a column of amounts. */
  readonly decimals?: number | undefined
}

/** A figure of any measure with all its digits under the pointer. What has no price is never "$0", and not nothing either. */
export const FigureText = ({ info, value, row, decimals }: FigureTextProps): ReactNode => {
  const doubt = info.form === 'usd' && row !== undefined ? doubtOf(row) : undefined
  if (doubt?.isUnknown && value === null) return <span className="text-ink-3">unpriced</span>
  return (
    <span title={exactFigure(info, value)} className="whitespace-nowrap">
      {doubt !== undefined && value !== null && value !== undefined && (
        <DoubtMark mark={doubt.mark} title={`Calls not exactly priced: ${doubt.sentence}`} />
      )}
      {info.form === 'usd' && decimals !== undefined ? usdWith(value as string | null, decimals) : figureText(info, value)}
    </span>
  )
}

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
