import { tagsMax } from '../core/attribution.ts'
import type { BudgetScope, Refusal } from '../core/budget.ts'
import { formatUsd, type PicoUsd, parseUsd } from '../core/money.ts'
import type { CallAhead, Decision, Used } from '../guard/guard.ts'
import type { LeaseAnswer, LeaseGrant, LeaseJson } from '../guard/lease-json.ts'
import type { Guard } from './call-gate.ts'

export interface BudgetLeasesOptions {
  /** Where `taximeter serve` listens. */
  readonly url: string
  /** A client key of the server. */
  readonly key?: string
  /** How many calls a lease is to be enough for. More: fewer round trips, and more that other processes must do without. Default: 8. */
  readonly calls?: number
  /** How long what this process holds stays held when it dies. Default: 60,000. */
  readonly ttlMs?: number
  /** Of one request to the server. Default: 2,000. */
  readonly timeoutMs?: number
  readonly fetch?: typeof globalThis.fetch
  /** UTC milliseconds. */
  readonly now?: () => number
  /** A UUID. */
  readonly nextId?: () => string
}

export interface BudgetLeases extends Guard {
  /** At once (no promise) while a lease has room for the call. Rejects when the server does not answer. */
  reserve(call: CallAhead): Decision | Promise<Decision>
  settle(reservation: string, used?: Used): void
  /** Gives back what is left, and stops. */
  close(): Promise<void>
}

/** A lease for each set of values that budgets tell apart, and for each model; the least recently made is given up past this many. */
export const leasesMax = 1_000
/** How long a settled call whose cost is not known may still be on its way into the ledger. */
const graceMs = 30_000
/** A refusal is repeated without asking for so long: budgets reset within a second of their instant. */
const refusalMs = 1_000
/** A lease is filled up when it has no more room than for so many calls. */
const idleCalls = 2
/** A server that does not answer is asked again after a pause that doubles from the first to the second. */
const pauseMs = { first: 500, most: 30_000 }
/** Callers that wait for the same lease and go away empty ask again, so often. */
const triesMax = 20

/**
 * Budgets that the server holds, decided in this process. A lease is a part of what is left, set aside at the server for calls of one kind;
 * calls take from it without a round trip, and it is filled up in the background before it is empty. What calls were charged
 * is spent at the server once their events are kept, and is told it with the next filling, so that nothing is held twice for long.
 * A lease lasts as long as calls are in flight; when this process dies it expires.
 */
export const createBudgetLeases = (options: BudgetLeasesOptions): BudgetLeases => {
  const now = options.now ?? Date.now
  const nextId = options.nextId ?? (() => crypto.randomUUID())
  const calls = options.calls ?? 8
  const ttlMs = options.ttlMs ?? 60_000
  const leases = new Map<string, Lease>()
  const byReservation = new Map<string, Lease>()
  const post = createPost(options)
  /** By which attributes the server tells calls apart; all of them until it has said. */
  let scopes: readonly BudgetScope[] | undefined
  let made = 0
  let renewing: NodeJS.Timeout | undefined
  let pause = 0
  let failure: { readonly error: unknown; readonly until: number } | undefined

  const forgetSettled = (lease: Lease, at: number): void => {
    for (const [reservation, held] of lease.held) {
      if (held.until === undefined || held.until > at) continue
      lease.held.delete(reservation)
      byReservation.delete(reservation)
      lease.consumed = add(lease.consumed, held)
    }
  }

  /** The server tells calls apart by other attributes than was known: leases go on under the names that calls now have. */
  const learnScopes = (told: readonly BudgetScope[]): void => {
    if (scopes !== undefined && scopes.join() === told.join()) return
    scopes = told
    const before = [...leases]
    leases.clear()
    for (const [name, lease] of before) {
      const renamed = lease.call === undefined ? name : nameOf(lease.call, scopes)
      leases.set(leases.has(renamed) ? name : renamed, lease)
    }
  }

  const leaseOf = (call: CallAhead): Lease => {
    const name = nameOf(call, scopes)
    let lease = leases.get(name)
    if (lease === undefined) {
      if (leases.size >= leasesMax) giveUpOldest()
      leases.set(name, (lease = createLease(nextId())))
    }
    return lease
  }

  const giveUpOldest = (): void => {
    for (const [name, lease] of leases) {
      if (lease.held.size > 0) continue
      leases.delete(name)
      void post('settle', { lease: { id: lease.id } }).catch(() => undefined)
      return
    }
  }

  /** Asks for room for `count` calls more. Answers with the refusal, if it is one. */
  const fill = (lease: Lease, call: CallAhead, count: number): Promise<Refusal | undefined> => {
    // No call waits for a server that has just not answered another one.
    if (failure !== undefined && now() < failure.until) return Promise.reject(failure.error)
    lease.asking ??= ask(lease, call, count).finally(() => {
      lease.asking = undefined
    })
    return lease.asking
  }

  const answered = async (body: unknown): Promise<LeaseAnswer> => {
    try {
      const answer = (await post('reserve', body)) as LeaseAnswer
      pause = 0
      failure = undefined
      return answer
    } catch (error) {
      pause = Math.min(Math.max(pauseMs.first, pause * 2), pauseMs.most)
      failure = { error, until: now() + pause }
      throw error
    }
  }

  const ask = async (lease: Lease, call: CallAhead, count: number): Promise<Refusal | undefined> => {
    forgetSettled(lease, now())
    lease.call = call
    lease.consumed = nothing
    // Dollars and tokens run out at different times: what lies idle of the one goes back, so that others are not refused for it.
    lease.free =
      isValid(lease, now()) && lease.grant !== undefined ? least(lease.free, times(worstOf(call, lease.grant), idleCalls)) : nothing
    const kept = add(heldIn(lease), atLeastNothing(lease.free))
    const { key: _key, event: _event, mayUse: _mayUse, ...known } = call
    const json: LeaseJson = { id: lease.id, calls: count, heldUsd: formatUsd(kept.usd), heldTokens: kept.tokens, ttlMs }
    const answer = await answered({ ...known, lease: json })
    learnScopes(answer.scopes)
    if (!answer.allowed) {
      lease.refusal = answer.refusal
      lease.refusedUntil = now() + refusalMs
      return answer.refusal
    }
    lease.refusal = undefined
    lease.expiresAt = Date.parse(answer.expiresAt)
    lease.grant = answer.lease
    if (answer.lease !== undefined) lease.free = subtract(subtract(amountsOf(answer.lease), heldIn(lease)), lease.consumed)
    return undefined
  }

  const take = (lease: Lease, call: CallAhead): Decision | undefined => {
    if (!isValid(lease, now())) return undefined
    if (lease.grant === undefined) return { allowed: true, reservation: undefined }
    const worst = worstOf(call, lease.grant)
    if (!fits(worst, lease)) return undefined
    lease.free = subtract(lease.free, worst)
    const reservation = `${lease.id}/${(made++).toString(36)}`
    lease.held.set(reservation, { ...worst, until: undefined })
    byReservation.set(reservation, lease)
    renewing ??= startRenewing()
    return { allowed: true, reservation }
  }

  /** A lease must not expire while calls that it covers are in flight. */
  const startRenewing = (): NodeJS.Timeout => {
    const timer = setInterval(() => {
      let isBusy = false
      for (const lease of leases.values()) {
        forgetSettled(lease, now())
        if (lease.held.size === 0) continue
        isBusy = true
        if (lease.call !== undefined) fill(lease, lease.call, 0).catch(() => undefined)
      }
      if (isBusy) return
      clearInterval(timer)
      renewing = undefined
    }, ttlMs / 3)
    timer.unref()
    return timer
  }

  const takeAfterAsking = async (lease: Lease, call: CallAhead): Promise<Decision> => {
    lease.waiting += 1
    try {
      for (let tries = 0; tries < triesMax; tries++) {
        const refusal = await fill(lease, call, Math.max(calls, Math.min(lease.waiting, 1_000)))
        const taken = take(lease, call)
        if (taken !== undefined) return taken
        if (refusal !== undefined) return { allowed: false, refusal }
      }
      throw new Error('others were faster each time the lease was filled')
    } finally {
      lease.waiting -= 1
    }
  }

  return {
    reserve(call) {
      const lease = leaseOf(call)
      const taken = take(lease, call)
      if (taken === undefined) {
        const { refusal } = lease
        const isKnown = refusal !== undefined && now() < lease.refusedUntil && isAsMuch(call, lease, refusal)
        return isKnown ? { allowed: false, refusal } : takeAfterAsking(lease, call)
      }
      const isLow = lease.grant !== undefined && !fits(times(worstOf(call, lease.grant), idleCalls), lease)
      // Before it expires as well, so that no call has to wait for the next one.
      const isOld = now() >= lease.expiresAt - marginMs - ttlMs / 3
      if ((isLow || isOld) && now() >= lease.refusedUntil) fill(lease, call, calls).catch(() => undefined)
      return taken
    },
    settle(reservation, used) {
      const lease = byReservation.get(reservation)
      const held = lease?.held.get(reservation)
      if (lease === undefined || held === undefined || held.until !== undefined) return
      if (used?.cost === undefined) {
        held.until = now() + graceMs
        return
      }
      // Its entry is in the ledger, and counted there: what it cost is gone from the lease, the rest is free again.
      lease.held.delete(reservation)
      byReservation.delete(reservation)
      const spent = { usd: used.cost, tokens: used.tokens ?? held.tokens }
      lease.consumed = add(lease.consumed, spent)
      lease.free = subtract(add(lease.free, held), spent)
    },
    async close() {
      clearInterval(renewing)
      const ids = [...leases.values()].map(({ id }) => id)
      leases.clear()
      await Promise.allSettled(ids.map((id) => post('settle', { lease: { id } })))
    },
  }
}

interface Amounts {
  readonly usd: bigint
  readonly tokens: number
}

interface Lease {
  readonly id: string
  /** Undefined: no budget binds such calls. */
  grant: LeaseGrant | undefined
  expiresAt: number
  free: Amounts
  /** Set aside for calls in flight, and for settled ones whose entry may still be on its way: by when it is. */
  readonly held: Map<string, Amounts & { until: number | undefined }>
  /** Taken by calls that are over, since the server was last told. */
  consumed: Amounts
  asking: Promise<Refusal | undefined> | undefined
  waiting: number
  refusal: Refusal | undefined
  refusedUntil: number
  /** The last call that asked: what a renewal is asked for. */
  call: CallAhead | undefined
}

const nothing: Amounts = { usd: 0n, tokens: 0 }
/** The clocks of two machines differ, and an answer takes its time. */
const marginMs = 2_000

const createLease = (id: string): Lease => ({
  id,
  grant: undefined,
  expiresAt: Number.NEGATIVE_INFINITY,
  free: nothing,
  held: new Map(),
  consumed: nothing,
  asking: undefined,
  waiting: 0,
  refusal: undefined,
  refusedUntil: Number.NEGATIVE_INFINITY,
  call: undefined,
})

const isValid = (lease: Lease, now: number): boolean => now < lease.expiresAt - marginMs

const add = (left: Amounts, right: Amounts): Amounts => ({ usd: left.usd + right.usd, tokens: left.tokens + right.tokens })
const subtract = (left: Amounts, right: Amounts): Amounts => ({ usd: left.usd - right.usd, tokens: left.tokens - right.tokens })
const times = ({ usd, tokens }: Amounts, count: number): Amounts => ({ usd: usd * BigInt(count), tokens: tokens * count })
const least = (left: Amounts, right: Amounts): Amounts => subtract(left, atLeastNothing(subtract(left, right)))
const atLeastNothing = ({ usd, tokens }: Amounts): Amounts => ({ usd: usd > 0n ? usd : 0n, tokens: Math.max(0, tokens) })

const heldIn = ({ held }: Lease): Amounts => {
  let sum = nothing
  for (const amounts of held.values()) sum = add(sum, amounts)
  return sum
}

const amountsOf = ({ usd, tokens }: LeaseGrant): Amounts => ({ usd: parseUsd(usd ?? '0') ?? 0n, tokens: tokens ?? 0 })

/** Only the units that some budget has bind the call. */
const fits = (worst: Amounts, { grant, free }: Lease): boolean =>
  (grant?.usd === undefined || worst.usd <= free.usd) && (grant?.tokens === undefined || worst.tokens <= free.tokens)

const worstOf = (call: CallAhead, { promptUsd, outputUsd, requestUsd, outputMax }: LeaseGrant): Amounts => {
  const prompt = Math.max(0, Math.ceil(call.promptTokens))
  const output = Math.max(0, Math.ceil(call.outputMax ?? outputMax))
  const rate = (text: string): PicoUsd => parseUsd(text) ?? (0n as PicoUsd)
  return { usd: BigInt(prompt) * rate(promptUsd) + BigInt(output) * rate(outputUsd) + rate(requestUsd), tokens: prompt + output }
}

/** A call that is as large as the one that was refused would be refused too. */
const isAsMuch = (call: CallAhead, { call: refused }: Lease, refusal: Refusal): boolean =>
  refusal.reason === 'unpriced' ||
  (refused !== undefined &&
    call.promptTokens >= refused.promptTokens &&
    (call.outputMax ?? Number.MAX_VALUE) >= (refused.outputMax ?? Number.MAX_VALUE))

/** Calls that budgets do not tell apart have the same name; prices differ by model and its variant. */
const nameOf = (call: CallAhead, scopes: readonly BudgetScope[] | undefined): string => {
  const { provider, model, tier, speed, region, run, runBudgetUsd } = call
  const values = scopes === undefined ? allValuesOf(call) : scopes.map((scope) => valueIn(call, scope))
  return JSON.stringify([provider, model, tier, speed, region, runBudgetUsd === undefined ? undefined : [run, runBudgetUsd], values])
}

const allValuesOf = ({ agent, task, team, user, key, release, environment, run, session, tags }: CallAhead): readonly unknown[] => [
  ...[agent, task, team, user, key, release, environment, run, session],
  Object.entries(tags ?? {})
    .slice(0, tagsMax)
    .sort(),
]

const valueIn = (call: CallAhead, scope: BudgetScope): string | undefined =>
  scope === 'all'
    ? ''
    : scope.startsWith('tag.')
      ? call.tags?.[scope.slice(4)]
      : call[scope as Exclude<BudgetScope, 'all' | `tag.${string}`>]

/** `POST /v1/budgets/…`: 200 and 402 are answers; anything else, and no answer, is thrown. */
const createPost = ({ url, key, fetch, timeoutMs = 2_000 }: BudgetLeasesOptions) => {
  const base = `${url.replace(/\/+$/, '')}/v1/budgets`
  const headers = { 'content-type': 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) }
  return async (path: 'reserve' | 'settle', body: unknown): Promise<unknown> => {
    const init: RequestInit = {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    }
    const response = await (fetch ?? globalThis.fetch)(`${base}/${path}`, init)
    if (response.status === 200 || response.status === 402) return response.json()
    await response.body?.cancel()
    throw new Error(`${base}/${path} answered ${response.status}`)
  }
}
