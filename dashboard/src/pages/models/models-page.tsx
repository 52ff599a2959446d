import type { ReactNode } from 'react'
import { SegmentDetail } from '../../segments/segment-detail.tsx'
import { segmentKinds } from '../../segments/segment-kinds.ts'
import { SegmentPage } from '../../segments/segment-page.tsx'

export const ModelsPage = (): ReactNode => <SegmentPage kind={segmentKinds.models} />

export const ModelPage = (): ReactNode => <SegmentDetail kind={segmentKinds.models} />
