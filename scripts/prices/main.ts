import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileBook, readProviders } from './book.ts'

const prices = join(import.meta.dirname, '../../prices')
const book = compileBook(readProviders(prices))
writeFileSync(join(prices, 'book.json'), JSON.stringify(book))
console.log(
  `prices/book.json is version ${book.version}: ${Object.values(book.providers).reduce((sum, { models }) => sum + Object.keys(models).length, 0)} models`,
)
