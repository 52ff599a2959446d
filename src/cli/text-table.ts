export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/**
 * Rows as an aligned table for a terminal. Names come from callers: control characters, which could move the cursor or colour the
 * screen, are shown as "�", and a cell longer than `cellCharsMax` is cut with "…".
 */
export const textTable = (columns: readonly Column[], rows: readonly (readonly string[])[], { cellCharsMax = 48 } = {}): string => {
  const cells = rows.map((row) => row.map((cell) => printable(cell, cellCharsMax)))
  const widths = columns.map(({ title }, index) => Math.max(title.length, ...cells.map((row) => widthOf(row[index] ?? ''))))
  const line = (row: readonly string[]): string =>
    columns
      .map(({ align }, index) => padded(row[index] ?? '', widths[index] ?? 0, align))
      .join('  ')
      .trimEnd()
  return [line(columns.map(({ title }) => title)), widths.map((width) => '─'.repeat(width)).join('  '), ...cells.map(line)].join('\n')
}

export const printable = (text: string, charsMax = 48): string => {
  // Joiners make one sign of several and move nothing.
  const clean = text.replace(/(?![\u200c\u200d])[\p{Cc}\p{Cf}]/gu, '�')
  if (widthOf(clean) <= charsMax) return clean
  let kept = ''
  for (const { segment } of graphemes.segment(clean)) {
    if (widthOf(kept + segment) > charsMax - 1) break
    kept += segment
  }
  return `${kept}…`
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const ascii = /^[\x20-\x7e]*$/
const wide = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60\p{Emoji_Presentation}]/u

/** Columns on a terminal: what a reader sees as one sign takes one, and two in the scripts whose signs are square. */
const widthOf = (text: string): number => {
  if (ascii.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += wide.test(segment) ? 2 : 1
  return width
}

const padded = (text: string, width: number, align: 'left' | 'right' | undefined): string => {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'right' ? space + text : text + space
}
