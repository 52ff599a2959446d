/** Eight colours that can be told apart on paper and in the dark; what comes after them is folded into "other". */
export const seriesMax = 8

/** The colour of a place in the ranking; -1 is "other". */
export const seriesColor = (place: number): string => (place < 0 || place >= seriesMax ? 'var(--s0)' : `var(--s${place + 1})`)

/** A colour of the stylesheet as a canvas can take it. */
export const resolvedColor = (color: string): string => {
  const probe = document.createElement('span')
  probe.style.color = color
  document.body.append(probe)
  const { color: resolved } = getComputedStyle(probe)
  probe.remove()
  return resolved
}
