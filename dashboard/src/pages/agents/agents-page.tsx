import type { ReactNode } from 'react'
import { SegmentDetail } from '../../segments/segment-detail.tsx'
import { segmentKinds } from '../../segments/segment-kinds.ts'
import { SegmentPage } from '../../segments/segment-page.tsx'

export const AgentsPage = (): ReactNode => <SegmentPage kind={segmentKinds.agents} />

export const AgentPage = (): ReactNode => <SegmentDetail kind={segmentKinds.agents} />
