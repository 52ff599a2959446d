import { ownHeaderPrefix } from './attribution.ts'
import { over, refuse, type Told } from './exchange.ts'
import { answerHeadersOf } from './headers.ts'
import { asksForTrailer, type Relay, type Trailers } from './relay-state.ts'
import { failureOf, type UpstreamFailure } from './upstream-failure.ts'

const costHeaders = { call: `${ownHeaderPrefix}call`, usd: `${ownHeaderPrefix}cost-usd`, basis: `${ownHeaderPrefix}cost-basis` }
const lengthDropped: ReadonlySet<string> = new Set(['content-length'])

/** The head of the answer: the upstream's, and what the call cost where that is known by now. `length`: of a body that was held. */
export const writeHead = (relay: Relay, told: Told | undefined, length: number | undefined): void => {
  const { x, filter, headers: sent, status, statusText } = relay
  if (x.isClientGone) return
  const isLate = relay.meter !== undefined && asksForTrailer(relay)
  const headers = answerHeadersOf(sent, filter !== undefined || isLate || length !== undefined ? lengthDropped : undefined)
  if (length !== undefined) headers.push('content-length', String(length))
  if (x.call !== undefined) headers.push(costHeaders.call, x.call.id)
  if (told !== undefined) headers.push(...costOf(told).flat())
  if (isLate) headers.push('trailer', `${costHeaders.usd}, ${costHeaders.basis}`)
  x.response.writeHead(status, statusText, headers)
}

const costOf = ({ costUsd, basis }: Told): [string, string][] =>
  costUsd === undefined
    ? [[costHeaders.basis, basis]]
    : [
        [costHeaders.basis, basis],
        [costHeaders.usd, costUsd],
      ]

/**
 * A whole answer. A short one goes as text of one byte a char, which leaves in one piece with its head: a buffer costs a second
 * system call's worth of work (4 µs of 110 for 1,100 bytes on the machine of bench/gateway).
 */
export const answerHeld = (relay: Relay, body: Buffer, trailers: Trailers, told: Told | undefined): void => {
  try {
    sendHeld(relay, body, trailers, told)
  } catch (error) {
    // A head that HTTP does not allow to be sent on.
    failClient(relay, failureOf(error as Error, relay.x.route.upstream.name))
  }
}

const sendHeld = (relay: Relay, body: Buffer, trailers: Trailers, told: Told | undefined): void => {
  const { x } = relay
  writeHead(relay, told, body.length)
  if (!x.isClientGone && trailers.length === 0 && body.length <= asTextBytesMax) {
    x.response.end(body.toString('latin1'), 'latin1')
    over(x, relay.status >= 300 ? 'error' : 'ok')
    return
  }
  if (body.length > 0) passToClient(relay, body)
  endClient(relay, trailers, undefined)
}

const asTextBytesMax = 16_384

/** One piece of the answer, less what is taken out of it. A client that is slower than the upstream makes it wait. */
export const passToClient = (relay: Relay, chunk: Buffer): void => {
  const { x, filter } = relay
  if (x.isClientGone) {
    relay.drainedBytes += chunk.length
    if (relay.drainedBytes > x.shop.limits.drainBytesMax) cut(relay, 'drained enough')
  } else if (filter === undefined) write(relay, chunk)
  else {
    const kept = filter.push(chunk)
    if (kept !== undefined) write(relay, kept)
  }
}

const write = (relay: Relay, chunk: Buffer): void => {
  relay.hasWritten = true
  if (relay.x.response.write(chunk) || relay.isEnded || relay.isPaused) return
  relay.isPaused = true
  relay.controller?.pause()
  relay.x.response.once('drain', () => {
    relay.isPaused = false
    stopTimer(relay)
    relay.controller?.resume()
  })
  startTimer(relay, relay.x.shop.limits.clientStallMsMax, 'client stalled')
}

export const endClient = (relay: Relay, trailers: Trailers, told: Told | undefined): void => {
  const { x, filter, status } = relay
  stopTimer(relay)
  if (x.isClientGone) {
    over(x, 'aborted')
    return
  }
  const rest = filter?.end()
  if (rest !== undefined) write(relay, rest)
  const all = told === undefined ? trailers : [...trailers, ...costOf(told)]
  if (all.length > 0) x.response.addTrailers(all as [string, string][])
  x.response.end()
  over(x, x.call === undefined ? 'passed' : status >= 300 ? 'error' : 'ok')
}

/**
 * There is no whole answer. A client that has had nothing of it yet is told why; for any other the connection is broken off, since
 * an ending that looks right would hide that something is missing.
 */
export const failClient = (relay: Relay, failure: UpstreamFailure): void => {
  const { x } = relay
  if (x.isClientGone) over(x, 'aborted')
  else if (x.response.headersSent) {
    x.response.destroy()
    over(x, 'error')
  } else refuse(x, 'failed', failure.error)
}

export const watchClient = (relay: Relay): void => {
  relay.x.response.on('close', () => clientClosed(relay))
}

/** The client left early: its answer is read to its end for an exact bill, or given up for a smaller one. */
const clientClosed = (relay: Relay): void => {
  const { x } = relay
  if (x.response.writableFinished || x.isClientGone) return
  x.isClientGone = true
  stopTimer(relay)
  if (relay.isEnded || x.isOver) return
  if (x.route.upstream.onDisconnect === 'drain' && x.call !== undefined) {
    startTimer(relay, x.shop.limits.drainMsMax, 'drained long enough')
    relay.controller?.resume()
  } else cut(relay, 'client left')
}

const cut = (relay: Relay, reason: string): void => relay.controller?.abort(new Error(reason))

const startTimer = (relay: Relay, ms: number, reason: string): void => {
  stopTimer(relay)
  relay.timer = setTimeout(() => {
    if (!relay.x.isClientGone) {
      relay.x.isClientGone = true
      relay.x.response.destroy()
    }
    cut(relay, reason)
  }, ms)
  relay.timer.unref()
}

export const stopTimer = (relay: Relay): void => {
  if (relay.timer === undefined) return
  clearTimeout(relay.timer)
  relay.timer = undefined
}
