import type { ReactNode } from 'react'
import type { RunJson } from '../../../src/server/api.ts'
import { Badge, type Tone } from '../ui/controls.tsx'

const tones: Readonly<Record<string, Tone>> = {
  cancelled: 'plain',
  max_steps: 'warn',
  budget_exceeded: 'warn',
  tool_error: 'bad',
  llm_error: 'bad',
  step_error: 'bad',
}

/** How a run ended, in words; one that has not ended says so. */
export const StopBadge = ({ run }: { run: Pick<RunJson, 'isOpen' | 'stopReason' | 'status'> }): ReactNode => {
  if (run.isOpen) return <Badge tone="accent">running</Badge>
  const reason = run.stopReason ?? run.status
  // The usual end is said quietly, so that the others are seen.
  if (reason === 'completed' || reason === 'ok') return <span className="text-xs whitespace-nowrap text-ink-2">{reason}</span>
  return <Badge tone={tones[reason ?? ''] ?? (run.status === 'error' ? 'bad' : 'plain')}>{reason?.replaceAll('_', ' ') ?? 'ended'}</Badge>
}
