import { isPrivateAddress, publicLookup, unsafeAddress } from '../../../network/safe-address.ts'
import { clipped, linesOf, titleOf } from '../notice-text.ts'
import type { Notifier } from '../notifier.ts'

export interface EmailOptions {
  readonly host: string
  readonly port: number
  readonly isPrivate: boolean
  /** TLS from the first byte (port 465); otherwise STARTTLS is used where the server has it. */
  readonly isSecure: boolean
  readonly user?: string
  readonly password?: string
  readonly from: string
  readonly to: readonly string[]
}

/** A mail by SMTP. The message id is the notice's, so that mail programs show a repeated one once. */
export const emailNotifier = (name: string, options: EmailOptions): Notifier => {
  // Loaded with the first mail: few send any, and it is 3 MB of memory.
  const transportTo = async (host: string) => {
    const { createTransport } = await import('nodemailer')
    return createTransport({
      host,
      port: options.port,
      secure: options.isSecure,
      connectionTimeout: 5_000,
      greetingTimeout: 5_000,
      socketTimeout: 10_000,
      disableFileAccess: true,
      disableUrlAccess: true,
      // The connection goes to the address that was checked; the certificate has to be the name's all the same.
      tls: { servername: options.host },
      ...(options.user !== undefined && { auth: { user: options.user, pass: options.password ?? '' } }),
    })
  }
  return {
    name,
    send: async (notice, signal) => {
      const host = options.isPrivate ? options.host : await publicAddressOf(options.host)
      signal.throwIfAborted()
      const transport = await transportTo(host)
      try {
        const sending = transport.sendMail({
          from: options.from,
          to: [...options.to],
          subject: clipped(`taximeter: ${titleOf(notice)}`, 200),
          text: linesOf(notice).join('\n\n'),
          messageId: `<${notice.id}@taximeter>`,
        })
        await Promise.race([sending, aborted(signal)])
      } catch (error) {
        if (signal.aborted) throw new Error('could not be reached: no answer in time')
        // The server's sentence can repeat the user name, the address or a password prompt.
        const { code, responseCode } = error as { readonly code?: unknown; readonly responseCode?: unknown }
        throw new Error(`the mail server refused: ${[code, responseCode].filter((part) => part !== undefined).join(' ') || 'unknown'}`)
      } finally {
        transport.close()
      }
    },
    close: async () => {},
  }
}

/** A server can answer word by word for longer than anybody waits. */
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))

/** One address of a name that is not of a private network; throws UNSAFE_ADDRESS where there is none. */
const publicAddressOf = (host: string): Promise<string> => {
  if (host === 'localhost' || isPrivateAddress(host)) throw unsafeAddress(host)
  return new Promise((resolve, reject) =>
    publicLookup()(host, {}, (error, address) => (error === null ? resolve(String(address)) : reject(error))),
  )
}
