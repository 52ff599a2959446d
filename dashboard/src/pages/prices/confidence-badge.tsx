import type { ReactNode } from 'react'
import type { PeriodAnswer } from '../../../../src/server/api.ts'
import { Badge } from '../../ui/controls.tsx'
import { Icon } from '../../ui/icon.tsx'

/** Two sources agree, one says so, or somebody had to decide between several. */
export const ConfidenceBadge = ({ confidence }: { confidence: PeriodAnswer['confidence'] | undefined }): ReactNode => {
  switch (confidence) {
    case 'confirmed':
      return (
        <span className="flex items-center gap-1 text-xs whitespace-nowrap text-ink-2">
          <Icon name="check" className="size-3.5 text-ok" />
          confirmed
        </span>
      )
    case 'single-source':
      return <span className="text-xs whitespace-nowrap text-ink-2">one source</span>
    case 'decided':
      return <Badge tone="warn">decided</Badge>
    case undefined:
      return <span className="text-ink-3">–</span>
    default:
      return confidence satisfies never
  }
}
