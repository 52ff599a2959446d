import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TaximeterError } from '../core/errors.ts'
import type { TaximeterServer } from '../server/server.ts'

export interface Listening {
  /** Without a slash at its end. */
  readonly url: string
  /** Takes no new connection, ends what is being answered, then closes. */
  close(): Promise<void>
}

/** How long an answer that is under way may take after the program was asked to stop. */
const drainMs = 5_000

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])

/** Listens. Refuses another address than loopback unless client keys are configured: who can reach it could read and spend. */
export const listen = async (
  server: TaximeterServer,
  { host, port, hasKeys }: { readonly host: string; readonly port: number; readonly hasKeys: boolean },
): Promise<Listening> => {
  if (!loopback.has(host) && !hasKeys) {
    throw new TaximeterError(
      'BAD_CONFIG',
      `To listen on ${host}, which others can reach, configure client "keys" first; without keys it listens on 127.0.0.1 only.`,
    )
  }
  const http = server.httpServer()
  await listening(http, host, port)
  const address = http.address() as AddressInfo
  const shownHost = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    url: `http://${shownHost}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        const force = setTimeout(() => http.closeAllConnections(), drainMs)
        http.close(() => {
          clearTimeout(force)
          resolve()
        })
        http.closeIdleConnections()
      }),
  }
}

const listening = (http: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      const sentence =
        error.code === 'EADDRINUSE'
          ? `Port ${port} on ${host} is taken. Choose another with --port, or stop what listens there.`
          : `Cannot listen on ${host}:${port}: ${error.message}.`
      reject(new TaximeterError('BAD_CONFIG', sentence, { cause: error }))
    })
    http.listen(port, host, () => resolve())
  })
