import { connect, type Socket } from 'node:net'

// Sends requests over connections that stay open, and times the answers. It speaks just enough HTTP to know where an answer ends, so
// that it takes little of the processor that the upstream runs on. Each request asks something else and every tenth begins another
// run, as agents do: the same prompt for ever would be a loop, which the alerts of a server would rightly tell of.

export interface LoadOrder {
  readonly port: number
  readonly path: string
  /** Eight `#` in it, or in a header, become the number of the request, and eight `@` that of the run. */
  readonly body: string
  readonly connections: number
  readonly seconds: number
  /** Requests a second, evenly spread; each is timed from when it was due. Absent: every connection asks again at once. */
  readonly rate?: number
  readonly headers?: Readonly<Record<string, string>>
}

export interface LoadResult {
  readonly perSecond: number
  readonly requests: number
  /** Answers that were not 200, and connections that broke. */
  readonly bad: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly firstByteP50: number
  readonly firstByteP99: number
}

const now = (): number => performance.now()

const run = (order: LoadOrder): Promise<LoadResult> =>
  new Promise((resolve) => {
    const head = [
      `POST ${order.path} HTTP/1.1`,
      `host: 127.0.0.1:${order.port}`,
      'content-type: application/json',
      'authorization: Bearer sk-bench',
      ...Object.entries(order.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
      `content-length: ${Buffer.byteLength(order.body)}`,
    ]
    const nextRequest = createRequests(`${head.join('\r\n')}\r\n\r\n${order.body}`)
    const totals: number[] = []
    const firsts: number[] = []
    let bad = 0
    let isOver = false
    const started = now()
    const free: Connection[] = []
    const due: number[] = []
    const open = new Set<Connection>()

    const answered = (connection: Connection, isGood: boolean, dueAt: number, firstAt: number): void => {
      if (isGood) {
        totals.push(now() - dueAt)
        firsts.push(firstAt - dueAt)
      } else bad += 1
      if (isOver) return
      if (order.rate === undefined) connection.ask(now())
      else {
        const next = due.shift()
        if (next === undefined) free.push(connection)
        else connection.ask(next)
      }
    }
    const make = (): Connection => {
      const connection = createConnection(order.port, nextRequest, answered, () => {
        open.delete(connection)
        if (isOver) return
        bad += 1
        open.add(make())
      })
      if (order.rate === undefined) connection.ask(now())
      else free.push(connection)
      return connection
    }
    for (let index = 0; index < order.connections; index++) open.add(make())

    let sent = 0
    const ticks =
      order.rate === undefined
        ? undefined
        : setInterval(() => {
            const wanted = ((now() - started) / 1_000) * (order.rate ?? 0)
            for (; sent < wanted; sent++) {
              const at = started + (sent / (order.rate ?? 1)) * 1_000
              const connection = free.pop()
              if (connection === undefined) due.push(at)
              else connection.ask(at)
            }
          }, 1)

    setTimeout(() => {
      isOver = true
      clearInterval(ticks)
      const seconds = (now() - started) / 1_000
      for (const connection of open) connection.close()
      resolve({
        perSecond: totals.length / seconds,
        requests: totals.length,
        bad,
        p50: quantile(totals, 0.5),
        p99: quantile(totals, 0.99),
        firstByteP50: quantile(firsts, 0.5),
        firstByteP99: quantile(firsts, 0.99),
      })
    }, order.seconds * 1_000)
  })

interface Connection {
  ask(dueAt: number): void
  close(): void
}

/** Over all orders, so that a warmed-up server has not seen them. */
let requests = 0
const callsOfARun = 10

const createRequests = (template: string): (() => Buffer) => {
  const bytes = Buffer.from(template, 'latin1')
  const [calls, runs] = ['#'.repeat(8), '@'.repeat(8)].map((mark) =>
    [...template.matchAll(new RegExp(mark, 'g'))].map(({ index }) => index),
  )
  return () => {
    const request = Buffer.from(bytes)
    requests += 1
    for (const at of calls ?? []) request.write(String(requests).padStart(8, '0'), at, 'latin1')
    for (const at of runs ?? []) request.write(String(Math.floor(requests / callsOfARun)).padStart(8, '0'), at, 'latin1')
    return request
  }
}

const headEnd = Buffer.from('\r\n\r\n')
const lastChunk = Buffer.from('0\r\n\r\n')

const createConnection = (
  port: number,
  nextRequest: () => Buffer,
  answered: (connection: Connection, isGood: boolean, dueAt: number, firstAt: number) => void,
  broke: () => void,
): Connection => {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let dueAt = 0
  let firstAt = 0
  let isGood = false
  /** Bytes of the body still to come; -1: chunked; undefined: the head is not there yet. */
  let left: number | undefined
  let head: Buffer | undefined

  const connection: Connection = {
    ask(at) {
      dueAt = at
      firstAt = 0
      left = undefined
      head = undefined
      socket.write(nextRequest())
    },
    close: () => socket.destroy(),
  }

  const take = (data: Buffer): void => {
    let body = data
    if (left === undefined) {
      const all = head === undefined ? data : Buffer.concat([head, data])
      const end = all.indexOf(headEnd)
      if (end === -1) {
        head = all
        return
      }
      const text = all.toString('latin1', 0, end)
      isGood = text.startsWith('HTTP/1.1 200')
      const length = /content-length: (\d+)/i.exec(text)?.[1]
      left = length === undefined ? -1 : Number(length)
      body = all.subarray(end + headEnd.length)
    }
    if (firstAt === 0 && body.length > 0) firstAt = now()
    if (left === -1) {
      if (body.subarray(-lastChunk.length).equals(lastChunk)) answered(connection, isGood, dueAt, firstAt)
      return
    }
    left -= body.length
    if (left === 0) answered(connection, isGood, dueAt, firstAt)
  }

  socket.on('data', take).on('error', () => undefined)
  socket.on('close', broke)
  return connection
}

const quantile = (values: readonly number[], share: number): number => {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

process.on('message', (order: LoadOrder) => {
  void run(order).then((result) => process.send?.(result))
})
process.send?.({ port: 0 })

// Whoever started it is gone.
process.on('disconnect', () => process.exit(0))
