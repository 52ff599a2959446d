import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createNetServer, type Socket } from 'node:net'

export interface RawUpstream {
  readonly url: string
  close(): Promise<void>
}

/** An upstream that does exactly what a test says, with Node's HTTP server around it. */
export const httpUpstream = async (handle: (request: IncomingMessage, response: ServerResponse) => unknown): Promise<RawUpstream> => {
  const server = createHttpServer((request, response) => void handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** An upstream of bare sockets, for answers that no HTTP server would give. Told each connection and, later, all that came on it. */
export const socketUpstream = async (connected: (socket: Socket, received: () => string) => void): Promise<RawUpstream> => {
  const sockets = new Set<Socket>()
  const server = createNetServer((socket) => {
    sockets.add(socket)
    let text = ''
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    connected(socket, () => text)
    socket.on('data', (data) => {
      text += data.toString('latin1')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** Resolves once a request's head and its whole body (of a known length) are there. */
export const wholeRequest = (socket: Socket, received: () => string): Promise<string> =>
  new Promise((resolve) => {
    const look = (): void => {
      const text = received()
      const head = text.indexOf('\r\n\r\n')
      if (head === -1) return
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)
      if (text.length >= head + 4 + length) resolve(text)
    }
    socket.on('data', () => setImmediate(look))
  })

export const readAll = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts)
}
