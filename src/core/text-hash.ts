const two32 = 2 ** 32

/** Numbers of texts are below this, so that SQLite keeps them in six bytes. */
export const hashMax = 2 ** 47

/** A text's number. Two texts may share one: whoever looks one up compares the texts. */
export const hashOf = (text: string): number => {
  let low = 0x811c9dc5
  let high = 0x9e3779b9
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    low = Math.imul(low ^ code, 0x85ebca6b)
    high = Math.imul(high ^ code, 0xc2b2ae35)
  }
  low = Math.imul(low ^ (low >>> 16), 0x27d4eb2f) ^ Math.imul(high ^ (high >>> 13), 0x165667b1)
  high = Math.imul(high ^ (high >>> 16), 0x27d4eb2f) ^ Math.imul(low ^ (low >>> 13), 0x165667b1)
  return (high >>> 17) * two32 + (low >>> 0)
}
