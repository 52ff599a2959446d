import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BookJson, ProviderJson } from '../../src/core/book-json.ts'
import { createPriceBook } from '../../src/core/price-book.ts'

/**
 * The compiled form of `prices/`: all providers in one object, its version made of the day of the last comparison with the
 * sources and of the content, so that two books with different rates can never share a version.
 */
export const compileBook = (providers: Readonly<Record<string, ProviderJson>>): BookJson => {
  const sorted = Object.fromEntries(Object.entries(providers).sort(([left], [right]) => (left < right ? -1 : 1)))
  const checksum = checksumOf(sorted)
  const days = Object.values(sorted).map((provider) => provider.checked ?? '')
  const day = days.sort().at(-1) ?? ''
  const book: BookJson = { version: `${day}+${checksum.slice(0, 8)}`, checksum, providers: sorted }
  createPriceBook(book).readAll()
  return book
}

/** SHA-256 of the providers as they stand in the book. */
export const checksumOf = (providers: BookJson['providers']): string => createHash('sha256').update(JSON.stringify(providers)).digest('hex')

/** Files of `prices/` that are no provider's. */
const otherFiles = new Set(['book.json', 'overrides.json'])

export const readProviders = (folder: string): Record<string, ProviderJson> =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((file) => file.endsWith('.json') && !otherFiles.has(file))
      .sort()
      .map((file) => [file.slice(0, -5), JSON.parse(readFileSync(join(folder, file), 'utf8')) as ProviderJson]),
  )
