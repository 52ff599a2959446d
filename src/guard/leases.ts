import type { Refusal } from '../core/budget.ts'
import { formatUsd } from '../core/money.ts'
import type { PriceBook } from '../core/price-book.ts'
import type { Allowance } from './allowance.ts'
import type { Allowances } from './allowances.ts'
import { assumedEach } from './amounts.ts'
import { type BoundClaim, claimsOf, openingOf, refusalOf } from './claims.ts'
import type { Decision } from './guard.ts'
import type { LeaseAnswer, LeaseRequest } from './lease-json.ts'
import { unpricedRefusal } from './refusal.ts'
import type { ReservationBook, Verdict } from './reservation-book.ts'
import { costAt, type UpperRates, type WorstCase, worstCaseOf } from './worst-case.ts'

export interface LeasesOptions {
  readonly book: ReservationBook
  readonly prices: () => PriceBook
  readonly now: () => number
  readonly allowances: Allowances
  readonly unavailable: (bound: readonly Allowance[], error: unknown) => Decision
  readonly refuse: (refusal: Refusal) => Decision
  readonly onLease: () => void
}

/** More leases than this at once are refused: each is a row on disk. */
export const leasesMax = 20_000

/**
 * Allowances for clients that decide by themselves. A lease is one reservation for several calls, of the same dollars from every
 * budget in dollars and the same tokens from every one in tokens; it is replaced as a whole, in one atomic step.
 */
export const createLeases = (options: LeasesOptions) => {
  const { book, prices, now, allowances } = options
  const live = new Map<string, number>()

  const answerOf = (decision: Decision, expiresAt: number): LeaseAnswer => {
    const scopes = allowances.scopes()
    return decision.allowed
      ? { allowed: true, expiresAt: new Date(expiresAt).toISOString(), scopes, ...(decision.because && { because: decision.because }) }
      : { allowed: false, refusal: decision.refusal, scopes }
  }

  const grant = async (request: LeaseRequest, bound: readonly Allowance[], at: number): Promise<LeaseAnswer> => {
    const { call, heldUsd, heldTokens } = request
    const one = perCallOf(request, bound, at, prices())
    const claims = claimsOf(bound, one)
    if (!Array.isArray(claims)) return answerOf(options.refuse(unpricedRefusal(claims, call, book.read(claims.key, at))), at)
    const expiresAt = at + request.ttlMs
    // A budget that only warns stops no call, so that nobody needs to ask for room in it.
    if (claims.every(({ isSoft }) => isSoft)) return answerOf({ allowed: true, reservation: undefined }, expiresAt)
    const id = `lease-${request.id}`
    const reserve = (calls: number) => {
      const amounts = claims.map((claim) => ({
        ...claim,
        kept: claim.unit === 'usd' ? heldUsd : BigInt(heldTokens),
        amount: BigInt(calls) * claim.amount + (claim.unit === 'usd' ? heldUsd : BigInt(heldTokens)),
      }))
      return book.reserve({ id, claims: amounts, now: at, expiresAt, isLasting: true })
    }
    let verdict: Verdict | undefined
    let calls = fairCalls(request.calls, claims, book, at)
    for (; calls >= 1; calls = Math.floor(calls / 2)) {
      verdict = await reserve(calls)
      if (verdict.isGranted) break
    }
    if (calls < 1 && verdict !== undefined && !verdict.isGranted) {
      // What is in flight stays held, though nothing can be added to it.
      await reserve(0)
      return answerOf(options.refuse(refusalOf(book, verdict, bound, at)), at)
    }
    if (calls < 1) await reserve(0)
    live.set(id, expiresAt)
    options.onLease()
    const answer = answerOf({ allowed: true, reservation: id }, expiresAt)
    return answer.allowed ? { ...answer, lease: grantOf(request, claims, calls, one) } : answer
  }

  return {
    async lease(request: LeaseRequest): Promise<LeaseAnswer> {
      const at = now()
      for (const [id, expiresAt] of live) if (expiresAt <= at) live.delete(id)
      const bound = allowances.of(request.call, at)
      try {
        if (bound === undefined || (live.size >= leasesMax && !live.has(`lease-${request.id}`)))
          throw new Error('more leases are held than are kept.')
        await openingOf(bound)
        return await grant(request, bound, now())
      } catch (error) {
        return answerOf(options.unavailable(bound ?? [], error), at + Math.min(request.ttlMs, 1_000))
      }
    },
    /** False when it is not known, or has expired. */
    giveBack(id: string): boolean {
      live.delete(`lease-${id}`)
      return book.release(`lease-${id}`, now())
    },
  }
}

/** The rates of a lease hold for calls of any size: those of the longest context. A model without a price has the dearest that is assumed. */
const perCallOf = (
  { call }: LeaseRequest,
  bound: readonly Allowance[],
  at: number,
  book: PriceBook,
): WorstCase & { readonly upper: UpperRates } => {
  const { mayUse: _all, ...any } = call
  const longest = worstCaseOf({ ...any, promptTokens: Number.MAX_SAFE_INTEGER }, at, book)
  const worst = worstCaseOf(any, at, book)
  const assumed = bound.reduce((most, { shelf }) => {
    const each = assumedEach(shelf.budget) ?? 0n
    return each > most ? each : most
  }, 0n)
  const upper = longest.rates ?? { prompt: assumed, output: assumed, request: 0n }
  return { ...worst, upper, rates: longest.rates, cost: longest.rates && costAt(longest.rates, worst.promptTokens, worst.outputTokens) }
}

/** One client does not take more than half of what is left, as long as that is enough for one call: there may be others. */
const fairCalls = (calls: number, claims: readonly BoundClaim[], book: ReservationBook, now: number): number => {
  let fair = calls
  for (const { key, limit, amount, isSoft } of claims) {
    if (isSoft || amount === 0n) continue
    const { spent, held } = book.read(key, now)
    const half = (limit - spent - held) / 2n / amount
    if (half < BigInt(fair)) fair = Math.max(Number(half), Math.min(1, calls))
  }
  return fair
}

const grantOf = (
  { id, heldUsd, heldTokens }: LeaseRequest,
  claims: readonly BoundClaim[],
  calls: number,
  one: WorstCase & { readonly upper: UpperRates },
) => {
  // Where a model has no price, budgets may assume different ones. The client counts at the dearest, so it takes no more tokens than
  // each of them has set aside for.
  const dearest = claims.reduce<bigint | undefined>(
    (most, { unit, amount }) => (unit === 'usd' && amount >= (most ?? 0n) ? amount : most),
    undefined,
  )
  return {
    id,
    ...(dearest !== undefined && { usd: formatUsd(heldUsd + BigInt(calls) * dearest) }),
    ...(claims.some(({ unit }) => unit === 'tokens') && { tokens: heldTokens + calls * one.tokens }),
    promptUsd: formatUsd(one.upper.prompt),
    outputUsd: formatUsd(one.upper.output),
    requestUsd: formatUsd(one.upper.request),
    outputMax: one.outputTokens,
  }
}
