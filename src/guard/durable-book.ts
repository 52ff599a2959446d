import type { Lease, LeaseStore, Mark } from '../ledger/lease-store.ts'
import { memoryBook } from './memory-book.ts'
import type { ReservationBook, ReserveRequest, Verdict } from './reservation-book.ts'

export interface DurableBookOptions {
  readonly leases: LeaseStore
  /** Another one at every start: a process never takes itself for the one that died. */
  readonly holder: string
  /** UTC ms, of the start. */
  readonly now: number
}

/**
 * The book of one process whose promises outlive it.
 *
 * A write to disk per call would cost more than the decision. So what is written ahead is a *cover*: how much this process may
 * hold of an allowance, and until when. A call that fits under the cover is decided in memory; one that does not waits for one
 * write that raises it by half again, shared with all who wait in the same turn of the event loop. Calls come and go under a
 * cover without another write; it is renewed, and shrunk to what is needed, a few times per lease.
 *
 * After a crash the covers of the dead process count as held until they expire: at least what it had granted, at most half more
 * than its greatest need. So nothing granted is forgotten, and what is held for nobody comes back by itself.
 * One process at a time is exact. Two on one file see each other's covers only at their start.
 */
export const createDurableBook = async ({ leases, holder, now }: DurableBookOptions): Promise<ReservationBook> => {
  const book = memoryBook()
  await restore(book, leases, now)
  const covers = new Map<string, Cover>()
  let forgetAt = coversMin
  const writer = createWriter(leases, (written) => {
    for (const lease of written) if (lease.holder === holder) settleCover(covers, lease, writer.isWaiting(lease))
  })

  const isCovered = (key: string, held: bigint, expiresAt: number): boolean => {
    if (held === 0n) return true
    const cover = covers.get(key)
    return cover !== undefined && cover.amount >= held && cover.expiresAt >= expiresAt
  }

  /** Undefined when every claim fits under its cover, which is nearly always. */
  const coverClaims = (request: ReserveRequest): Promise<void> | undefined => {
    let isShort = false
    for (const { key, limit, isSoft } of request.claims) {
      const held = isSoft ? 0n : book.briefHeld(key)
      if (isCovered(key, held, request.expiresAt)) continue
      isShort = true
      const room = limit - book.read(key, request.now).spent
      const cover = covers.get(key)
      const amount = coverOf(held, room)
      // A smaller cover holds from now on: what is let through while the write is under way must fit under it too.
      if (cover !== undefined && amount < cover.amount) cover.amount = amount
      writer.put({ holder, allowance: key, amount, expiresAt: request.expiresAt + slackOf(request) })
    }
    if (covers.size >= forgetAt) forgetAt = Math.max(coversMin, 2 * forgetCovers(covers, request.now))
    return isShort ? writer.written(request.now) : undefined
  }

  return {
    ...book,
    reserve(request) {
      const verdict = book.reserve(request)
      if (!verdict.isGranted) return verdict
      if (request.isLasting === true) return keepLasting(writer, request, verdict)
      const covering = coverClaims(request)
      return covering === undefined ? verdict : orRelease(covering, verdict, () => book.release(request.id, request.now))
    },
    release(id, at) {
      if (book.isLasting(id)) writer.end(id, at)
      return book.release(id, at)
    },
    mark(name, at, until) {
      if (!book.mark(name, at, until)) return false
      writer.mark({ name, until })
      return orRelease(writer.written(at), true, () => book.restoreMark(name, at))
    },
    unmark(name, from, now) {
      if (!book.isMarked(name)) return
      book.unmark(name, from, now)
      writer.mark({ name, until: from })
      writer.soon(now)
    },
    async end(at) {
      await writer.idle()
      const rest = book.briefHolds(at).map(({ key, amount, expiresAt }) => ({ holder, allowance: key, amount, expiresAt }))
      if (rest.length > 0 || covers.size > 0) await leases.write({ leases: rest, ended: [holder], marks: [], now: at })
      await leases.close()
    },
  }
}

interface Cover {
  amount: bigint
  expiresAt: number
}

/** From this many on, covers that have expired are looked for whenever their number has doubled. */
const coversMin = 1_000

const forgetCovers = (covers: Map<string, Cover>, now: number): number => {
  for (const [key, { expiresAt }] of covers) if (expiresAt <= now) covers.delete(key)
  return covers.size
}

/** Half again what is held, but not past what the limit leaves: more could not be let through anyway. */
const coverOf = (held: bigint, room: bigint): bigint => {
  const wished = held + held / 2n
  if (wished <= room) return wished
  return room > held ? room : held
}

/** How much longer than the call's lease a cover lasts, so that it is renewed a few times per lease and not for every call. */
const slackOf = ({ now, expiresAt }: ReserveRequest): number => Math.max(1_000, Math.ceil((expiresAt - now) / 4))

const settleCover = (covers: Map<string, Cover>, { allowance, amount, expiresAt }: Lease, waiting: Lease | undefined): void => {
  covers.set(allowance, { amount: waiting !== undefined && waiting.amount < amount ? waiting.amount : amount, expiresAt })
}

const restore = async (book: ReturnType<typeof memoryBook>, leases: LeaseStore, now: number): Promise<void> => {
  const { leases: rows, marks } = await leases.load(now)
  const groups = Map.groupBy(rows, ({ holder, expiresAt }) => JSON.stringify([holder, expiresAt]))
  const taken = new Set<string>()
  for (const [key, group] of groups) {
    const holder = group[0]?.holder ?? key
    // A lease has one expiry and keeps its id; a process has one per allowance, and nobody asks for it by id any more.
    const id = taken.has(holder) ? key : holder
    taken.add(holder)
    book.restore(
      id,
      group.map(({ allowance, amount }) => ({ key: allowance, amount })),
      group[0]?.expiresAt ?? now,
    )
  }
  for (const { name, until } of marks) book.restoreMark(name, until ?? Number.POSITIVE_INFINITY)
}

/** A lasting reservation that could not be written stays held: whoever asked may go on with what it had before. */
const keepLasting = async (writer: Writer, request: ReserveRequest, verdict: Verdict): Promise<Verdict> => {
  writer.end(request.id, request.now)
  for (const { key, amount } of request.claims)
    if (amount > 0n) writer.put({ holder: request.id, allowance: key, amount, expiresAt: request.expiresAt })
  await writer.written(request.now)
  return verdict
}

const orRelease = async <Value>(written: Promise<void>, value: Value, release: () => void): Promise<Value> => {
  try {
    await written
    return value
  } catch (error) {
    release()
    throw error
  }
}

interface Writer {
  put(lease: Lease): void
  end(holder: string, now: number): void
  mark(mark: Mark): void
  /** Resolves when everything given so far is durable. */
  written(now: number): Promise<void>
  /** Writes in its own time; nobody waits, and a failure is left to the next write. */
  soon(now: number): void
  isWaiting(lease: Lease): Lease | undefined
  idle(): Promise<void>
}

interface Batch {
  readonly leases: Map<string, Lease>
  readonly ended: Set<string>
  readonly marks: Map<string, Mark>
  readonly done: PromiseWithResolvers<void>
}

const emptyBatch = (): Batch => ({ leases: new Map(), ended: new Set(), marks: new Map(), done: Promise.withResolvers() })

/** Group commit: what is given within one turn of the event loop, and while a write is under way, is one transaction. */
const createWriter = (store: LeaseStore, onWritten: (leases: readonly Lease[]) => void): Writer => {
  let batch = emptyBatch()
  let running: Promise<void> | undefined

  const keyOf = ({ holder, allowance }: Lease): string => `${holder}\n${allowance}`
  const isEmpty = ({ leases, ended, marks }: Batch): boolean => leases.size + ended.size + marks.size === 0

  const run = async (now: number): Promise<void> => {
    while (!isEmpty(batch)) {
      const { leases, ended, marks, done } = batch
      batch = emptyBatch()
      const rows = [...leases.values()]
      try {
        await store.write({ leases: rows, ended: [...ended], marks: [...marks.values()], now })
        onWritten(rows)
        done.resolve()
      } catch (error) {
        done.reject(error)
      }
    }
    running = undefined
  }

  const start = (now: number): Promise<void> => {
    const { promise } = batch.done
    // Those who wait are told by the promise they hold; a write that nobody waits for may fail quietly.
    promise.catch(() => {})
    running ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => run(now))
    return promise
  }

  return {
    put(lease) {
      const key = keyOf(lease)
      const waiting = batch.leases.get(key)
      batch.leases.set(key, waiting === undefined ? lease : { ...lease, expiresAt: Math.max(lease.expiresAt, waiting.expiresAt) })
    },
    end(holder, now) {
      for (const [key, lease] of batch.leases) if (lease.holder === holder) batch.leases.delete(key)
      batch.ended.add(holder)
      start(now)
    },
    mark(mark) {
      batch.marks.set(mark.name, mark)
    },
    written: start,
    soon: (now) => void start(now),
    isWaiting: (lease) => batch.leases.get(keyOf(lease)),
    idle: async () => {
      while (running !== undefined) await running
    },
  }
}
