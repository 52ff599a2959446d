import { TaximeterError } from '../../core/errors.ts'
import type { ItemResult } from '../../intake/event-json.ts'
import type { ClientKey } from '../../intake/keys.ts'
import { bodyFormOf, type Items, parseItems } from '../parse-items.ts'
import { error, json, jsonAnswer, type Route, type RouteCall, route } from '../route.ts'
import type { Services } from '../services.ts'

const body = { 'application/json': 'Events', 'application/x-ndjson': 'text' } as const

const answers = {
  200: json(
    'IngestAnswer',
    'One result per item, in order. What is accepted is durable. Rejected items are results too, also when all are.',
  ),
  400: error('The body could not be cut into items. Nothing was kept.'),
  413: error('The body or the batch is too large. Nothing was kept.'),
  415: error('The content type or encoding cannot be read.'),
  503: error('The ledger could not take the batch. Nothing was kept; send it again.'),
}

/** Events come in. What makes an event good or bad is intake's to say, and is not checked here: every event of every agent passes. */
export const ingestRoutes = (services: Services): readonly Route[] => [
  route({
    method: 'POST',
    path: '/v1/events',
    uses: ['send'],
    title: 'Takes usage events: a JSON array, one object, or NDJSON.',
    body,
    answers,
    handle: (call) => ingest(services, call, (value) => value),
  }),
  route({
    method: 'POST',
    path: '/v1/runs',
    uses: ['send'],
    title: 'Takes start and end records of runs, in the same form; `kind` may be left out.',
    body,
    answers,
    handle: (call) => ingest(services, call, asRunRecord),
  }),
]

const asRunRecord = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !('kind' in value) ? { ...value, kind: 'run' } : value

const ingest = (services: Services, call: RouteCall, prepare: (value: unknown) => unknown): Promise<Response> => {
  const { limits } = services
  const form = bodyFormOf(call.header('content-type'))
  if (form === undefined) {
    throw new TaximeterError(
      'UNSUPPORTED_MEDIA',
      'The content type should be application/json or application/x-ndjson. Say which one the body is.',
    )
  }
  return services.bodies.read(call.source, limits.bodyBytesMax, async (body) => {
    const items = parseItems(body.toString('utf8'), form, { itemsMax: limits.eventsMax, lineBytesMax: limits.eventBytesMax })
    const admitted =
      items.values.length === 0
        ? []
        : await services.intake.admit(items.values.map(prepare).map(attributedTo(call.caller.key)), {
            source: 'sdk',
            key: call.caller.key?.id,
          })
    for (const result of items.malformed.values()) services.metrics.countRejected(result.reason)
    const results = inOrder(items, admitted)
    return jsonAnswer({ results, counts: countsOf(results) })
  })
}

/** What a key's calls belong to is said where the key is configured; the client has no say in it. */
const attributedTo = (key: ClientKey | undefined): ((value: unknown) => unknown) => {
  if (key === undefined || Object.keys(key.attribution).length === 0) return (value) => value
  const { tags, ...attribution } = key.attribution
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const own = 'tags' in value && typeof value.tags === 'object' ? value.tags : undefined
    return { ...value, ...attribution, ...(tags !== undefined && { tags: { ...own, ...tags } }) }
  }
}

/** The results of the events, with those of lines that never became events put back in their places. */
const inOrder = ({ malformed, values }: Items, admitted: readonly ItemResult[]): readonly ItemResult[] => {
  if (malformed.size === 0) return admitted
  const results: ItemResult[] = []
  let next = 0
  for (let place = 0; place < values.length + malformed.size; place += 1) {
    const result = malformed.get(place) ?? admitted[next++]
    if (result !== undefined) results.push(result)
  }
  return results
}

const countsOf = (results: readonly ItemResult[]) => {
  const counts = { accepted: 0, duplicate: 0, rejected: 0 }
  for (const { outcome } of results) counts[outcome] += 1
  return counts
}
