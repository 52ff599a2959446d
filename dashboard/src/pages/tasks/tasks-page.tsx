import type { ReactNode } from 'react'
import { SegmentDetail } from '../../segments/segment-detail.tsx'
import { segmentKinds } from '../../segments/segment-kinds.ts'
import { SegmentPage } from '../../segments/segment-page.tsx'

export const TasksPage = (): ReactNode => <SegmentPage kind={segmentKinds.tasks} />

export const TaskPage = (): ReactNode => <SegmentDetail kind={segmentKinds.tasks} />
