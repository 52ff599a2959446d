import { parseFilter } from '../../core/question.ts'
import { textParameter } from '../parameters.ts'
import { periodQuery } from '../period-query.ts'
import { error, type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

/** The live tail of the ledger. */
export const liveRoutes = ({ streams }: Services): readonly Route[] => [
  route({
    method: 'GET',
    path: '/v1/stream',
    uses: ['read'],
    title: 'Server-sent events: every call and run record as it is kept. Resumes after `Last-Event-ID`.',
    query: { after: textParameter(1_000, 'A cursor to start after, for readers that cannot set a header.'), where: periodQuery.where },
    answers: {
      200: { says: 'Events `open`, `call`, `run` and `gap`.', content: { 'text/event-stream': 'text' } },
      400: error('A filter is none: the message says what was expected.'),
      503: error('As many streams are open as can be.'),
    },
    handle: ({ method, query, header }) =>
      method === 'HEAD'
        ? new Response(null, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } })
        : streams.open(header('last-event-id') || query.after || undefined, query.where.map(parseFilter)),
  }),
]
