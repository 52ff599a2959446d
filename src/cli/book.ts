import type { LoadedConfig } from '../config/load-config.ts'
import type { BookJson } from '../core/book-json.ts'
import { withPrices } from '../core/price-additions.ts'
import { createPriceBook, type PriceBook } from '../core/price-book.ts'
import { bookJson } from '../pricing.ts'

/** The price book with what the configuration adds to it, as JSON. */
export const bookJsonOf = ({ config }: Pick<LoadedConfig, 'config'>): BookJson => withPrices(bookJson, config.prices)

/** The price book with what the configuration adds to it. */
export const bookOf = (loaded: Pick<LoadedConfig, 'config'>): PriceBook => createPriceBook(bookJsonOf(loaded))
