import type { ReactNode } from 'react'
import { SegmentDetail } from '../../segments/segment-detail.tsx'
import { segmentKinds } from '../../segments/segment-kinds.ts'
import { SegmentPage } from '../../segments/segment-page.tsx'

export const ToolsPage = (): ReactNode => <SegmentPage kind={segmentKinds.tools} />

export const ToolPage = (): ReactNode => <SegmentDetail kind={segmentKinds.tools} />
