import { sentenceOf, TaximeterError } from '../../core/errors.ts'
import { quoteOf } from '../../intake/quote.ts'
import type { ErrorJson } from '../api.ts'
import { safeSentence } from '../error-answer.ts'
import { bodyFormOf, parseItems } from '../parse-items.ts'
import { quoteJson } from '../quote-json.ts'
import { error, jsonAnswer, type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

/** Prices an answer of a provider without keeping anything. */
export const quoteRoutes = ({ book, now, bodies, limits }: Services): readonly Route[] => {
  const quoteLine = (line: unknown): string => {
    try {
      return JSON.stringify(quoteJson(quoteOf(line, book(), now())))
    } catch (error) {
      if (error instanceof TaximeterError) return JSON.stringify(errorOf(error))
      throw error
    }
  }
  return [
    route({
      method: 'POST',
      path: '/v1/quote',
      uses: ['send', 'read', 'call'],
      title: 'Prices what a provider answered: one, or one a line (NDJSON) and then answered one a line, in order.',
      body: { 'application/json': 'QuoteRequest', 'application/x-ndjson': 'text' },
      answers: {
        200: {
          says: 'The usage and the charge. With NDJSON a bad line is answered by an error in its place.',
          content: { 'application/json': 'Quote', 'application/x-ndjson': 'text' },
        },
        400: error('The body cannot be read as what a provider answered.'),
        415: error('The content type or encoding cannot be read.'),
      },
      handle(call) {
        const form = bodyFormOf(call.header('content-type'))
        if (form === undefined) {
          throw new TaximeterError(
            'UNSUPPORTED_MEDIA',
            'The content type should be application/json or application/x-ndjson. Say which one the body is.',
          )
        }
        return bodies.read(call.source, limits.bodyBytesMax, (body) => {
          const items = parseItems(body.toString('utf8'), form, { itemsMax: limits.quotesMax, lineBytesMax: limits.bodyBytesMax })
          if (form !== 'lines' && items.malformed.size === 0 && items.values.length <= 1)
            return jsonAnswer(quoteJson(quoteOf(items.values[0], book(), now())))
          let next = 0
          let text = ''
          for (let place = 0; place < items.values.length + items.malformed.size; place += 1) {
            const bad = items.malformed.get(place)
            text += `${bad === undefined ? quoteLine(items.values[next++]) : JSON.stringify(errorOf(new TaximeterError('BAD_REQUEST', bad.message)))}\n`
          }
          return new Response(text, { headers: { 'content-type': 'application/x-ndjson; charset=utf-8' } })
        })
      },
    }),
  ]
}

const errorOf = (error: TaximeterError): ErrorJson => ({ error: { code: error.code, message: safeSentence(sentenceOf(error)) } })
