const lineMax = 140

/** JSON with everything that fits on one line on one line, so that a changed rate is a changed line in a review. */
export const formatPrices = (value: unknown): string => `${linesOf(value, '', 0)}\n`

const linesOf = (value: unknown, indent: string, taken: number): string => {
  const flat = flatOf(value)
  if (typeof value !== 'object' || value === null || indent.length + taken + flat.length <= lineMax) return flat
  const deeper = `${indent}  `
  if (Array.isArray(value)) return `[\n${value.map((item) => deeper + linesOf(item, deeper, 1)).join(',\n')}\n${indent}]`
  const parts = Object.entries(value).filter(([, part]) => part !== undefined)
  const lines = parts.map(([key, part]) => {
    const name = `${JSON.stringify(key)}: `
    return deeper + name + linesOf(part, deeper, name.length + 1)
  })
  return `{\n${lines.join(',\n')}\n${indent}}`
}

const flatOf = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(flatOf).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const parts = Object.entries(value).filter(([, part]) => part !== undefined)
  return parts.length === 0 ? '{}' : `{ ${parts.map(([key, part]) => `${JSON.stringify(key)}: ${flatOf(part)}`).join(', ')} }`
}
