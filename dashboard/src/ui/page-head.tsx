import { type ReactNode, useEffect } from 'react'

interface PageHeadProps {
  readonly title: string
  /** What the browser's tab says, where the heading is more than text. */
  readonly tab?: string
  readonly note?: ReactNode
  readonly children?: ReactNode
}

/** The name of a page: its heading and the browser's tab. */
export const PageHead = ({ title, tab = title, note, children }: PageHeadProps): ReactNode => {
  useEffect(() => {
    document.title = `${tab} · taximeter`
  }, [tab])
  return (
    <div className="flex flex-wrap items-end gap-x-4 gap-y-2">
      <div className="mr-auto min-w-0">
        <h1 className="line-clamp-3 text-xl font-semibold tracking-tight" title={title.length > 80 ? title : undefined}>
          <bdi>{title}</bdi>
        </h1>
        {note !== undefined && <div className="mt-0.5 text-[0.8125rem] text-ink-2">{note}</div>}
      </div>
      {children}
    </div>
  )
}
