/** One cell of CSV (RFC 4180). Text that a spreadsheet could take for a formula is prefixed with an apostrophe. */
export const csvCell = (text: string): string => {
  const safe = /^[=+@\t\r]|^-(?!\d)/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
