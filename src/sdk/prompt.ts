import { createHmac, createSecretKey, randomBytes } from 'node:crypto'

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

/** The prompt of a request as one text that is equal for equal prompts, whatever the spacing of the body. Used at once and never kept. */
export const promptOf = (body: Readonly<Record<string, unknown>>): string | undefined => {
  let text = ''
  for (const field of promptFields) if (body[field] !== undefined) text += `${field}:${JSON.stringify(body[field])}\n`
  return text === '' ? undefined : text
}

/**
 * Keyed, so that nobody can find a short prompt by hashing guesses. Without a key of the user's a random one is made: equal
 * prompts are then recognised within this process only, which is the most that is safe without a secret.
 */
export const createPromptHash = (hashKey: string | undefined): ((prompt: string) => string) => {
  const key = createSecretKey(hashKey === undefined ? randomBytes(32) : Buffer.from(hashKey))
  return (prompt) => createHmac('sha256', key).update(prompt).digest('hex').slice(0, 32)
}

/** Pictures and sounds as text: no token has to do with their length. */
const encoded = /[A-Za-z0-9+/=_-]{512,}/g

/** UTF-8 bytes of what is text in a prompt. */
export const promptBytesOf = (prompt: string): number => Buffer.byteLength(prompt.length < 512 ? prompt : prompt.replace(encoded, ''))

/** The same four bytes a token that an unfinished answer is estimated with (providers/seen-text.ts). */
export const estimatedTokens = (bytes: number): number => Math.ceil(bytes / 4)

/** More than any usual text has: what a budget sets aside must not be too little. */
export const mostTokens = (bytes: number): number => Math.ceil(bytes / 3)
