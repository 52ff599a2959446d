import { z } from '@hono/zod-openapi'
import { TaximeterError } from '../core/errors.ts'
import type { KeyUse } from '../intake/keys.ts'
import type { Caller } from './access.ts'
import type { BodySource } from './read-body.ts'

/** What a handler is given of one request. */
export interface RouteCall<Query = Readonly<Record<string, unknown>>> {
  /** GET, HEAD or POST; a GET route also answers HEAD, and its body is then thrown away. */
  readonly method: string
  readonly query: Query
  param(name: string): string
  header(name: string): string | undefined
  readonly caller: Caller
  readonly source: BodySource
}

export interface RouteAnswer {
  readonly says: string
  /** Content type → schema; absent: no body worth describing. */
  readonly content?: Readonly<Record<string, z.ZodType>>
}

/**
 * One route: how it is asked, what it answers and what does it. The list of all routes is what the server mounts, what
 * /openapi.json describes and what docs/reference/http.md is checked against.
 */
export interface Route {
  readonly method: 'GET' | 'POST'
  /** In the form of OpenAPI: `/v1/runs/{id}`. */
  readonly path: string
  /** Parameters of the path that may hold slashes. */
  readonly greedy?: readonly string[]
  readonly title: string
  readonly query?: z.ZodObject
  readonly params?: z.ZodObject
  readonly body?: Readonly<Record<string, z.ZodType>>
  readonly answers: Readonly<Record<number, RouteAnswer>>
  /** What a key must be allowed to do, one of these; none: answered without a key, also where keys are configured. */
  readonly uses: readonly KeyUse[]
  handle(call: RouteCall): Response | Promise<Response>
}

/** A route whose handler sees its query parameters as the schema types them. */
export const route = <Query extends z.ZodObject = z.ZodObject>(
  described: Omit<Route, 'handle' | 'query'> & {
    readonly query?: Query
    handle(call: RouteCall<z.output<Query>>): Response | Promise<Response>
  },
): Route => described as unknown as Route

export const jsonAnswer = (value: unknown, status = 200): Response =>
  new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json; charset=utf-8' } })

export const json = (schema: z.ZodType, says: string): RouteAnswer => ({ says, content: { 'application/json': schema } })

/** The parameters of a URL as the route's schema wants them. Throws BAD_REQUEST that names the parameters there are. */
export const parseQuery = (described: Route, url: URL): Readonly<Record<string, unknown>> => {
  const known = described.query?.shape ?? {}
  const given: Record<string, string | string[]> = {}
  for (const [name, value] of url.searchParams) {
    if (!Object.hasOwn(known, name)) {
      const names = Object.keys(known)
      throw new TaximeterError(
        'BAD_REQUEST',
        `"${name.slice(0, 40)}" is not a parameter of ${described.method} ${described.path}. ${names.length === 0 ? 'It takes none' : `Use ${names.join(', ')}`}.`,
      )
    }
    const before = given[name]
    if (name === 'where') given[name] = [...(before ?? []), value]
    else if (before === undefined) given[name] = value
    else throw new TaximeterError('BAD_REQUEST', `"${name}" is given twice. Give it once.`)
  }
  const parsed = described.query?.safeParse(given)
  if (parsed === undefined) return {}
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new TaximeterError('BAD_REQUEST', `"${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'is not valid'}.`)
}

/** A whole number as text, from `min` to `max`. */
export const countText = (min: number, max: number, otherwise: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `should be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((count) => count >= min && count <= max, `should be a whole number from ${min} to ${max}`)
    .default(otherwise)
    .openapi({ type: 'integer', minimum: min, maximum: max, default: otherwise })
