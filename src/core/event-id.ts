const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** A UUID of any version in lower case, or undefined. */
export const parseEventId = (text: unknown): string | undefined => {
  if (typeof text !== 'string' || text.length !== 36) return undefined
  const lower = text.toLowerCase()
  return uuid.test(lower) ? lower : undefined
}

/**
 * The id of the `index`-th further call inside one answer (an advisor's model, billed beside the main one). Derived, so that
 * sending the answer again derives the same id and nothing is counted twice.
 */
export const derivedEventId = (id: string, index: number): string => {
  const tail = (Number.parseInt(id.slice(-4), 16) ^ (index & 0xffff)).toString(16).padStart(4, '0')
  return id.slice(0, -4) + tail
}
