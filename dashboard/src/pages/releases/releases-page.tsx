import type { ReactNode } from 'react'
import { SegmentDetail } from '../../segments/segment-detail.tsx'
import { segmentKinds } from '../../segments/segment-kinds.ts'
import { SegmentPage } from '../../segments/segment-page.tsx'
import { SideBySide } from './side-by-side.tsx'

export const ReleasesPage = (): ReactNode => (
  <SegmentPage kind={segmentKinds.releases}>
    <SideBySide />
  </SegmentPage>
)

export const ReleasePage = (): ReactNode => <SegmentDetail kind={segmentKinds.releases} />
