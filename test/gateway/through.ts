import { expect } from 'vitest'
import type { ModelCall } from '../../src/core/event.ts'
import type { UpstreamSettings } from '../../src/gateway/upstreams.ts'
import { createPlayback, type PlayedRequest, type Routes } from '../../src/testing.ts'
import { type OpenGateway, openGateway } from './open-gateway.ts'

export interface Through {
  /** What the scenario returned, the same with the gateway between and without. */
  readonly seen: unknown
  /** The calls in the ledger, in the order in which they began. */
  readonly calls: readonly ModelCall[]
  /** What the provider got through the gateway. */
  readonly requests: readonly PlayedRequest[]
  readonly gateway: OpenGateway
}

export interface ThroughOptions {
  /** The upstream's name, which is also how its path begins. */
  readonly name: string
  /** How many calls the ledger is waited for. */
  readonly calls: number
  readonly upstream?: Partial<UpstreamSettings>
  /** In place of `/<name>`, such as `/via/agent=a/openai`. */
  readonly path?: string
}

/**
 * Plays a scenario with a provider itself and then with a gateway in between, where nothing but the base URL is different, and
 * demands that the client saw the same and the provider got the same.
 */
export const through = async (
  routes: () => Routes,
  scenario: (baseUrl: string) => Promise<unknown>,
  { name, calls, upstream, path = `/${name}` }: ThroughOptions,
): Promise<Through> => {
  const direct = createPlayback(routes(), { name: 'played', now: () => Date.UTC(2026, 10, 22) })
  const directUrl = await direct.listen()
  const behind = createPlayback(routes(), { name: 'played', now: () => Date.UTC(2026, 10, 22) })
  const gateway = await openGateway({ upstreams: [{ name, private: true, url: await behind.listen(), ...upstream }] })
  try {
    const plain = plainly(await scenario(directUrl), directUrl)
    const seen = plainly(await scenario(`${gateway.url}${path}`), `${gateway.url}${path}`)
    expect(seen).toEqual(plain)
    expect(behind.requests.map(comparable)).toEqual(direct.requests.map(comparable))
    const inLedger = calls === 0 ? [] : await gateway.calls(calls)
    expect(inLedger).toHaveLength(calls)
    expect(gateway.warnings).toEqual([])
    return { seen, calls: inLedger, requests: behind.requests, gateway }
  } finally {
    await gateway.close()
    await direct.close()
    await behind.close()
  }
}

/** Some clients show all headers with every answer: the clock, and what the gateway adds, are not compared. */
const plainly = (seen: unknown, url: string): unknown =>
  JSON.parse(JSON.stringify(seen ?? null).replaceAll(url, 'http://played'), (name, value: unknown) =>
    name === 'date' || name.startsWith('x-taximeter-') ? undefined : value,
  ) as unknown

/** What a client makes up anew for every form that it sends. */
const withoutBoundary = (type: string | undefined): string | undefined => type?.replace(/boundary=.*/, 'boundary=…')

/** All but the wish for usage, which is added where it is missing, and what belongs to one connection. */
const comparable = ({ method, path, query, body, headers }: PlayedRequest) => {
  const { stream_options: _, ...rest } = body
  const {
    host: _host,
    'content-length': _length,
    'accept-encoding': _coding,
    connection: _connection,
    'transfer-encoding': _transfer,
    expect: _expect,
    'content-type': type,
    ...others
  } = headers
  return { method, path, query, body: rest, headers: others, type: withoutBoundary(type) }
}

/** Everything that a response shows besides its body and what the gateway adds to it. */
export const seenResponse = (response: Response): object => ({
  status: response.status,
  statusText: response.statusText,
  ok: response.ok,
  url: response.url,
  redirected: response.redirected,
  headers: [...response.headers].filter(([name]) => name !== 'date' && !name.startsWith('x-taximeter-')),
})
