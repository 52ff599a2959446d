import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Dispatcher, Pool } from 'undici'

// The limit that the gateway is measured against: the same two HTTP stacks, and nothing between them. Nothing is metered, checked
// or kept; headers are copied as they are.

const upstream = new Pool(process.argv[2] ?? '', { connections: 1_024 })
const own = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host', 'content-length'])

const server = createServer((request, response) => {
  const headers: string[] = []
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? ''
    if (!own.has(name.toLowerCase())) headers.push(name, request.rawHeaders[index + 1] ?? '')
  }
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const body = parts.length === 1 ? (parts[0] ?? null) : Buffer.concat(parts)
    let controller: Dispatcher.DispatchController | undefined
    response.on('drain', () => controller?.resume())
    upstream.dispatch(
      { path: (request.url ?? '/').replace(/^\/openai/, ''), method: (request.method ?? 'GET') as Dispatcher.HttpMethod, headers, body },
      {
        onRequestStart(given) {
          controller = given
        },
        onResponseStart(given, status) {
          const raw = (given.rawHeaders ?? []) as Buffer[]
          const answer: string[] = []
          for (let index = 0; index < raw.length; index += 2) {
            const name = String(raw[index])
            if (name.toLowerCase() === 'content-length' || !own.has(name.toLowerCase())) answer.push(name, String(raw[index + 1]))
          }
          response.writeHead(status, answer)
        },
        onResponseData(given, chunk) {
          if (!response.write(chunk)) given.pause()
        },
        onResponseEnd() {
          response.end()
        },
        onResponseError() {
          response.destroy()
        },
      },
    )
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
})

// Whoever started it is gone.
process.on('disconnect', () => process.exit(0))
