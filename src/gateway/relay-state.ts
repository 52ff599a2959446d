import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import type { ByteFilter } from '../providers/stream-usage.ts'
import type { AnswerMeter } from './answer-meter.ts'
import type { Exchange } from './exchange.ts'
import type { HeldAnswer } from './held-answer.ts'

/** One answer on its way from an upstream to a client. */
export interface Relay {
  readonly x: Exchange
  controller: Dispatcher.DispatchController | undefined
  status: number
  statusText: string
  headers: IncomingHttpHeaders
  /** A whole answer that waits for its cost; everything else goes on byte by byte as it comes. */
  held: HeldAnswer | undefined
  meter: AnswerMeter | undefined
  filter: ByteFilter | undefined
  hasWritten: boolean
  /** The client is slower than the upstream, which waits for it. */
  isPaused: boolean
  /** The upstream has said all that it will. */
  isEnded: boolean
  drainedBytes: number
  timer: NodeJS.Timeout | undefined
}

export type Trailers = readonly (readonly [string, string])[]

/** The client wants to be told what the answer cost after its last byte. */
export const asksForTrailer = ({ x }: Relay): boolean => x.call !== undefined && x.request.headers['x-taximeter-report'] === 'trailer'
