import type { Dialect, RequestReport } from '../providers/dialect.ts'
import { outlineOf } from './body-outline.ts'
import { promptOf } from './prompt.ts'

/** Request bodies longer than this are sent as they are: not read for the model, the prompt's hash or the wish for usage. */
export const requestCharsMax = 64 * 1024 * 1024
/** Longer ones are not parsed as a whole. */
export const parsedCharsMax = 64 * 1024

export type FetchInput = Parameters<typeof globalThis.fetch>[0]
type GivenHeaders = RequestInit['headers']
type Json = Readonly<Record<string, unknown>>

/** What fetch was given, read without using any of it up. */
export interface RequestLine {
  readonly url: URL
  readonly headers: GivenHeaders
  readonly signal: AbortSignal | undefined
}

/** Undefined for what cannot be a model call: only POST asks a model for something. */
export const requestLineOf = (input: FetchInput, init: RequestInit | undefined): RequestLine | undefined => {
  const request = typeof input === 'object' && 'method' in input ? input : undefined
  const method = init?.method ?? request?.method
  if (method === undefined || (method !== 'POST' && method.toUpperCase() !== 'POST')) return undefined
  const text = request === undefined ? String(input) : request.url
  if (!text.startsWith('http') || !URL.canParse(text)) return undefined
  return { url: new URL(text), headers: init?.headers ?? request?.headers, signal: init?.signal ?? request?.signal ?? undefined }
}

export interface ReadBody {
  readonly text: string
  readonly json: Json
  readonly report: RequestReport
  readonly prompt: string | undefined
}

/**
 * The body, when it can be read without taking it from the caller: a text or bytes. A stream, a form and the body of a Request
 * are left alone, and undefined is returned.
 */
export const readBody = (init: RequestInit | undefined, dialect: Dialect, path: string): ReadBody | undefined => {
  const text = textOf(init?.body)
  if (text === undefined || text.length > requestCharsMax) return undefined
  try {
    const outline = text.length > parsedCharsMax ? outlineOf(text) : undefined
    const json: unknown = text.length > parsedCharsMax ? outline?.fields : JSON.parse(text)
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined
    const body = json as Json
    return { text, json: body, report: dialect.ofRequest(body, path), prompt: promptOf(body, outline?.large) }
  } catch {
    return undefined
  }
}

const textOf = (body: unknown): string | undefined => {
  if (typeof body === 'string') return body
  const bytes = body instanceof ArrayBuffer ? new Uint8Array(body) : body
  return bytes instanceof Uint8Array && bytes.byteLength <= requestCharsMax ? new TextDecoder().decode(bytes) : undefined
}

/** One header of whatever form headers were given in. */
export const headerOf = (headers: GivenHeaders, name: string): string | undefined => {
  if (headers === undefined) return undefined
  if (headers instanceof Headers) return headers.get(name) ?? undefined
  const pairs: Iterable<readonly string[]> = Symbol.iterator in headers ? headers : Object.entries(headers as Record<string, string>)
  for (const [key, value] of pairs) if (key !== undefined && key.toLowerCase() === name && typeof value === 'string') return value
  return undefined
}
