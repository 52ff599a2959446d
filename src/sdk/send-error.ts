/**
 * Why a batch was not taken. `temporary`: send it again later. `too-large`: send it in smaller parts. `refused`: the ledger will
 * never take it, however often it is sent; its events are given up and counted.
 */
export class SendError extends Error {
  override readonly name = 'SendError'
  readonly kind: 'temporary' | 'too-large' | 'refused'

  constructor(kind: SendError['kind'], message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.kind = kind
  }
}
