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
  const clean = text.replace(/[\p{Cc}\p{Cf}]/gu, '�')
  return clean.length > charsMax ? `${clean.slice(0, charsMax - 1)}…` : clean
}

const widthOf = (text: string): number => [...text].length

const padded = (text: string, width: number, align: 'left' | 'right' | undefined): string => {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'right' ? space + text : text + space
}
