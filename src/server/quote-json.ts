import type { Quote } from '../intake/quote.ts'
import type { QuoteAnswer } from './api.ts'
import { chargeJson } from './entry-json.ts'

/** A quote in its outside form. */
export const quoteJson = ({ charge, flags, provider, ...quote }: Quote): QuoteAnswer => ({
  ...quote,
  ...(provider !== '' && { provider }),
  ...(flags.length > 0 && { flags }),
  charge: chargeJson(charge),
})
