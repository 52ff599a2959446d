import json from '../prices/book.json' with { type: 'json' }
import { type BookJson, createPriceBook, type PriceBook } from './core/price-book.ts'

export type { Basis, Charge, Line, ModelRef, UnpricedReason } from './core/charge.ts'
export { amountOf, chargeOf } from './core/charge.ts'
export type { PicoUsd } from './core/money.ts'
export { formatUsd, parseUsd, picoUsd } from './core/money.ts'
export type { BookJson, ModelJson, PeriodJson, PriceBook, ProviderJson, RateCard } from './core/price-book.ts'
export { createPriceBook } from './core/price-book.ts'

/** The price book that comes with this version of taximeter, as JSON. */
export const bookJson = json as unknown as BookJson

/** The price book that comes with this version of taximeter. */
export const loadPriceBook = (): PriceBook => createPriceBook(bookJson)
