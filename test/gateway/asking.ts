import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { afterEach } from 'vitest'
import type { UpstreamSettings } from '../../src/gateway/upstreams.ts'
import { type OpenGateway, type OpenGatewayOptions, openGateway } from './open-gateway.ts'
import { type RawUpstream, readAll } from './raw-upstream.ts'

export interface BehindOptions extends Omit<OpenGatewayOptions, 'upstreams'> {
  readonly name?: string
  readonly upstream?: Partial<UpstreamSettings>
}

/** Gateways of one test file, each in front of one upstream, closed with it after the test. */
export const withGateways = () => {
  const opened: { close(): Promise<void> }[] = []
  afterEach(async () => {
    for (const each of opened.splice(0).reverse()) await each.close()
  })
  return {
    behind: async (upstream: RawUpstream, { name = 'openai', upstream: more, ...options }: BehindOptions = {}): Promise<OpenGateway> => {
      opened.push(upstream)
      const gateway = await openGateway({ upstreams: [{ name, url: upstream.url, private: true, ...more }], ...options })
      opened.push(gateway)
      return gateway
    },
  }
}

export interface Answer {
  readonly response: IncomingMessage
  readonly body: Buffer
}

/** One request on a connection of its own, its body given whole or piece by piece. */
export const ask = (
  gateway: OpenGateway,
  path: string,
  options: RequestOptions & { readonly body?: string | Buffer | readonly Buffer[] } = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { body, ...rest } = options
    const request = httpRequest(
      `${gateway.url}${path}`,
      { method: body === undefined ? 'GET' : 'POST', agent: false, ...rest },
      (response) => {
        readAll(response).then((read) => resolve({ response, body: read }), reject)
      },
    )
    request.on('error', reject)
    if (Array.isArray(body)) for (const part of body) request.write(part)
    else if (body !== undefined) request.write(body)
    request.end()
  })

export const json = { 'content-type': 'application/json' }
export const chat = '/openai/v1/chat/completions'
