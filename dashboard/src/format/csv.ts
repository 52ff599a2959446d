/** Rows as a spreadsheet reads them. A name that a spreadsheet would take for a formula is made plain text first. */
export const csvOf = (columns: readonly string[], rows: readonly Readonly<Record<string, unknown>>[]): string => {
  const lines = rows.map((row) => columns.map((column) => cellOf(row[column])).join(','))
  return `${[columns.map(cellOf).join(','), ...lines].join('\r\n')}\r\n`
}

const cellOf = (value: unknown): string => {
  if (value === null || value === undefined) return ''
  const text = String(value)
  const safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Gives the browser a file to keep. */
export const saveFile = (name: string, type: string, text: string): void => {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
