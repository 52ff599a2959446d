import type { KeyUse } from '../intake/keys.ts'
import type { Caller } from './access.ts'
import type { Parameters, Values } from './parameters.ts'
import type { BodySource } from './read-body.ts'
import type { SchemaName } from './schema-list.ts'

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

/** Content type → the name of its schema in schema-list.ts; `text` for what is no JSON. */
export type Content = Readonly<Record<string, SchemaName | 'text'>>

export interface RouteAnswer {
  readonly says: string
  readonly content?: Content
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
  readonly query?: Parameters
  readonly body?: Content
  readonly answers: Readonly<Record<number, RouteAnswer>>
  /** What a key must be allowed to do, one of these; none: answered without a key, also where keys are configured. */
  readonly uses: readonly KeyUse[]
  handle(call: RouteCall): Response | Promise<Response>
}

/** A route whose handler sees its query parameters with their types. */
export const route = <const Query extends Parameters>(
  described: Omit<Route, 'handle' | 'query'> & {
    readonly query?: Query
    handle(call: RouteCall<Values<Query>>): Response | Promise<Response>
  },
): Route => described as unknown as Route

export const jsonAnswer = (value: unknown, status = 200): Response =>
  new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json; charset=utf-8' } })

export const json = (schema: SchemaName, says: string): RouteAnswer => ({ says, content: { 'application/json': schema } })
export const error = (says: string): RouteAnswer => json('Error', says)
