import type { Refusal } from '../core/budget.ts'
import type { Dialect } from '../providers/dialect.ts'
import { rememberRefusal } from './budget-exceeded-error.ts'

/**
 * A refused call as an answer of its provider: status 402 in the provider's form of an error.
 *
 * An answer and not a throw, because clients take what fetch throws for a broken connection and try again (openai and
 * anthropic twice, with pauses), while every one of them gives up at once on 402; the header says so to those that ask.
 */
export const refusedResponse = (refusal: Refusal, dialect: Dialect, url: string): Response => {
  rememberRefusal(refusal)
  const message = `BUDGET_EXCEEDED: ${refusal.message}`
  const error = { type: 'budget_exceeded', code: 'BUDGET_EXCEEDED', status: 'BUDGET_EXCEEDED', message, param: null }
  const body = dialect.name === 'ollama' ? { error: message } : { type: 'error', error }
  const response = new Response(JSON.stringify(body), {
    status: 402,
    statusText: 'Payment Required',
    headers: { 'content-type': 'application/json', 'x-should-retry': 'false' },
  })
  return Object.defineProperty(response, 'url', { value: url, configurable: true })
}
