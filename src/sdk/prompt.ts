import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { stringEnd } from '../providers/json-fields.ts'

/** Where requests keep what is put to the model, over all dialects. */
const promptFields = [
  'system',
  'instructions',
  'systemInstruction',
  'system_instruction',
  'messages',
  'input',
  'contents',
  'content',
  'prompt',
  'message',
  'query',
  'documents',
  'texts',
] as const

/** Prompts longer than this have no hash: making it would hold the agent up for longer than knowing repeats is worth. */
export const hashedCharsMax = 4 * 1024 * 1024

/**
 * The prompt of a request as one text that is equal for equal prompts, whatever the spacing of the body. Used at once and never
 * kept. `large` holds the text of values that were too long to be parsed, as their client wrote it.
 */
export const promptOf = (body: Readonly<Record<string, unknown>>, large: Readonly<Record<string, string>> = {}): string | undefined => {
  let text = ''
  for (const field of promptFields) if (body[field] !== undefined) text += `${field}:${large[field] ?? JSON.stringify(body[field])}\n`
  return text === '' ? undefined : text
}

/**
 * Keyed, so that nobody can find a short prompt by hashing guesses. Without a key of the user's a random one is made: equal
 * prompts are then recognised within this process only, which is the most that is safe without a secret.
 */
export const createPromptHash = (hashKey: string | undefined): ((prompt: string) => string | undefined) => {
  const key = createSecretKey(hashKey === undefined ? randomBytes(32) : Buffer.from(hashKey))
  return (prompt) => (prompt.length > hashedCharsMax ? undefined : createHmac('sha256', key).update(prompt).digest('hex').slice(0, 32))
}

/** Pictures and sounds as text are long and have no spaces: no token has to do with their length. */
const encodedCharsMin = 512

const isEncoded = (text: string, start: number, end: number): boolean =>
  end - start > encodedCharsMin && !/[^\w+/=:;,.-]/.test(text.slice(start + 1, start + encodedCharsMin))

/** UTF-8 bytes of the strings in a prompt, without those that are pictures or sounds. */
export const promptBytesOf = (prompt: string): number => {
  let bytes = 0
  for (let start = prompt.indexOf('"'); start !== -1; ) {
    const end = stringEnd(prompt, start)
    if (!isEncoded(prompt, start, end)) bytes += Buffer.byteLength(prompt.slice(start + 1, end - 1))
    start = prompt.indexOf('"', end)
  }
  return bytes
}

/** The same four bytes a token that an unfinished answer is estimated with (providers/seen-text.ts). */
export const estimatedTokens = (bytes: number): number => Math.ceil(bytes / 4)

/** More than any usual text has: what a budget sets aside must not be too little. */
export const mostTokens = (bytes: number): number => Math.ceil(bytes / 3)
