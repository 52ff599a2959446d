import type { ReactNode } from 'react'
import type { PeriodAnswer } from '../../../../src/server/api.ts'
import { Badge } from '../../ui/controls.tsx'

const badges = {
  confirmed: { tone: 'ok', text: 'confirmed' },
  'single-source': { tone: 'plain', text: 'one source' },
  decided: { tone: 'warn', text: 'decided' },
} as const

/** Two sources agree, one says so, or somebody had to decide between several. */
export const ConfidenceBadge = ({ confidence }: { confidence: PeriodAnswer['confidence'] | undefined }): ReactNode => {
  if (confidence === undefined) return <span className="text-ink-3">–</span>
  const { tone, text } = badges[confidence]
  return <Badge tone={tone}>{text}</Badge>
}
