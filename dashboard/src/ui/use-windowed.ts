import { type RefObject, useEffect, useState } from 'react'

export interface Windowed {
  readonly first: number
  /** Not included. */
  readonly last: number
  /** Pixels before the first and after the last row that is there. */
  readonly before: number
  readonly after: number
}

const overscan = 8

/** Which rows of a long list are in sight, all of one height, so that ten thousand cost as little as fifty. */
export const useWindowed = (scroller: RefObject<HTMLElement | null>, count: number, rowHeight: number): Windowed => {
  const [seen, setSeen] = useState({ top: 0, height: 800 })
  useEffect(() => {
    const element = scroller.current
    if (element === null) return
    const read = (): void => setSeen({ top: element.scrollTop, height: element.clientHeight })
    read()
    element.addEventListener('scroll', read, { passive: true })
    const observer = new ResizeObserver(read)
    observer.observe(element)
    return () => {
      element.removeEventListener('scroll', read)
      observer.disconnect()
    }
  }, [scroller])
  const first = Math.max(0, Math.min(count, Math.floor(seen.top / rowHeight)) - overscan)
  const last = Math.min(count, Math.ceil((seen.top + seen.height) / rowHeight) + overscan)
  return { first, last, before: first * rowHeight, after: (count - last) * rowHeight }
}
