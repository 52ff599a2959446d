import type { EventJson } from '../intake/event-json.ts'
import { followAiSdk } from './ai-sdk.ts'
import { createAttempts } from './attempts.ts'
import { cleanAttribution, type GivenAttribution } from './attribution.ts'
import { flushBeforeExit } from './before-exit.ts'
import { type BudgetLeases, createBudgetLeases } from './budget-leases.ts'
import { createCallGate, type Guard } from './call-gate.ts'
import { createEventQueue, type EventQueue } from './event-queue.ts'
import { createHttpSender } from './http-sender.ts'
import { createLazyRecogniser } from './lazy-recogniser.ts'
import { createMeter, type Fetch, type Meter } from './metered-fetch.ts'
import { createPromptHash } from './prompt.ts'
import { createRunBudgets, type RunBudgets } from './run-budgets.ts'
import { createRuns, type Run, type RunOptions, type Runs } from './runs.ts'
import type { Sender } from './sender.ts'
import { createUuidV7 } from './uuid-v7.ts'
import { createWarn, type Warn, type Warning } from './warning.ts'

export const defaultUrl = 'http://127.0.0.1:4141'
export const queueEventsMaxDefault = 10_000
export const flushIntervalMsDefault = 1_000
export const flushTimeoutMs = 5_000
/** How long a call may wait for the server to say what its budgets leave. */
export const leaseTimeoutMs = 1_000

export interface TrackerOptions extends GivenAttribution {
  /** Where `taximeter serve` listens. Default: http://127.0.0.1:4141. */
  readonly url?: string
  /** A client key of the server. */
  readonly key?: string
  /** Another way to a ledger, in place of `url`. */
  readonly sender?: Sender
  /** Secret of the prompt hashes. With the same one in all processes, equal prompts are recognised across them; without one, within this process. */
  readonly hashKey?: string
  /** Hosts besides the well-known ones, and whose models they serve: `{ 'llm.internal:8000': 'openai' }`. */
  readonly hosts?: Readonly<Record<string, string>>
  /**
   * Holds budgets by reservation before each call. Default: those of the server at `url`, by leases, so that most calls wait for
   * nothing; none where a `sender` is given. `false`: none.
   */
  readonly guard?: Guard | false
  /** What happens to a call whose budget nobody can check. Default: `allow`. */
  readonly onMeterFailure?: 'allow' | 'block'
  /** Told of what goes wrong with the metering. Default: each kind once, as a warning of the process. */
  readonly onWarning?: (warning: Warning) => void
  /** Events kept while they cannot be sent. Default: 10,000. */
  readonly queueEventsMax?: number
  /** Default: 1,000. */
  readonly flushIntervalMs?: number
  /** The fetch that calls are made with, and events sent. Default: the global one. */
  readonly fetch?: Fetch
  /** A number from 0 to 1: the jitter of retries. */
  readonly random?: () => number
  /** UTC milliseconds. */
  readonly now?: () => number
}

export interface TrackerStats {
  readonly queued: number
  readonly sent: number
  readonly rejected: number
  readonly dropped: number
  readonly sendFailures: number
  readonly metered: number
  readonly unmetered: number
  readonly refused: number
  readonly open: number
  readonly failed: number
  readonly budgetCrossings: number
  readonly budgetUnchecked: number
}

/** An event of the user's own: what is not said (id, time, attribution) is filled in from where `record` is called. */
export type GivenEvent = Pick<EventJson, 'kind'> & Partial<EventJson>

/**
 * Meters the model calls of an agent: hand `fetch` to a client, or patch the global one, and wrap each task in `run`.
 *
 * It never breaks a call: what fails in here is swallowed and counted in `stats()`. Only a budget that the user set may stop one,
 * and only the first call of a kind waits, at most a second, until the server has said what its budgets leave. Prompts and answers
 * are read as they pass and not kept.
 */
export class TokenTracker {
  /** `globalThis.fetch`, metering. */
  readonly fetch: Fetch
  readonly #queue: EventQueue
  readonly #budgets: RunBudgets
  readonly #runs: Runs
  readonly #meter: Meter
  readonly #nextId: () => string
  readonly #now: () => number
  readonly #warn: Warn
  readonly #patch: GlobalPatch
  readonly #forgetExit: () => void
  /** Only those that the tracker made itself: a guard that was given is somebody else's to close. */
  readonly #leases: BudgetLeases | undefined
  #unfollow: (() => void) | undefined

  constructor(options: TrackerOptions = {}) {
    const now = options.now ?? Date.now
    const warn = createWarn(options.onWarning)
    const nextId = createUuidV7(now)
    const patch = createGlobalPatch(() => this.fetch)
    const base = (): Fetch => options.fetch ?? patch.original() ?? globalThis.fetch
    const sender = options.sender ?? createHttpSender({ url: options.url ?? defaultUrl, key: options.key, fetch: base })
    const queue = createEventQueue({
      sender,
      eventsMax: options.queueEventsMax ?? queueEventsMaxDefault,
      flushIntervalMs: options.flushIntervalMs ?? flushIntervalMsDefault,
      random: options.random ?? Math.random,
      warn,
    })
    const onMeterFailure = options.onMeterFailure ?? 'allow'
    const budgets = createRunBudgets({ queue, warn })
    const leases = options.guard === undefined && options.sender === undefined ? leasesOf(options, base) : undefined
    const guard = options.guard === false ? undefined : (options.guard ?? leases)
    const runs = createRuns({ queue, budgets, defaults: cleanAttribution(options, warn), onMeterFailure, nextId, now, warn })
    const meter = createMeter({
      base,
      recogniser: createLazyRecogniser(options.hosts, warn),
      runs,
      gate: createCallGate({ budgets, guard, onMeterFailure, nextId, warn }),
      attempts: createAttempts(now),
      promptHash: createPromptHash(options.hashKey),
      nextId,
      now,
      warn,
    })
    this.fetch = meter.fetch
    this.#queue = queue
    this.#budgets = budgets
    this.#runs = runs
    this.#meter = meter
    this.#nextId = nextId
    this.#now = now
    this.#warn = warn
    this.#patch = patch
    this.#leases = leases
    this.#forgetExit = flushBeforeExit(async () => {
      // No answer can go on when nothing is left to happen.
      meter.endOpenCalls()
      const isSent = await queue.flush(flushTimeoutMs, false)
      await leases?.close()
      return isSent
    })
  }

  /**
   * Meters the global fetch, for clients that take none. Returns how to undo it. Patching twice changes nothing more, and a
   * client that was given `tracker.fetch` is not metered twice.
   */
  patchGlobalFetch(): () => void {
    return this.#patch.patch()
  }

  /**
   * Has the AI SDK (7 and later) name its steps and record its tools, from what it tells of itself; the tracker's `fetch` meters
   * its calls as ever. Returns how to undo it. A tool that is followed is not to be wrapped in `run.tool` as well.
   */
  followAiSdk(): () => void {
    this.#unfollow ??= followAiSdk({ runs: this.#runs, nextId: this.#nextId, now: this.#now, warn: this.#warn })
    return () => {
      this.#unfollow?.()
      this.#unfollow = undefined
    }
  }

  /** Runs an agent's task. All calls made inside belong to it, however deep. Rejects with what the function threw. */
  run<Result>(options: RunOptions, go: (run: Run) => Result | PromiseLike<Result>): Promise<Result> {
    return this.#runs.run(options, go)
  }

  /** Records a call that was not made through `fetch`. */
  record(event: GivenEvent): void {
    try {
      const { run, attribution } = this.#runs.scope()
      this.#runs.record(run, { ...attribution, source: 'sdk', ...event, id: event.id ?? this.#nextId(), at: event.at ?? this.#now() })
    } catch (error) {
      this.#warn('metering-failed', `An event could not be recorded: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  /** True when everything recorded so far is in the ledger; false when that took too long. Never throws. */
  flush(timeoutMs: number = flushTimeoutMs): Promise<boolean> {
    return this.#queue.flush(timeoutMs, true)
  }

  /** Ends what is open, sends what is left, and stops. */
  async close(timeoutMs: number = flushTimeoutMs): Promise<void> {
    this.#patch.undo()
    this.#unfollow?.()
    this.#forgetExit()
    this.#meter.endOpenCalls()
    await this.#queue.close(timeoutMs)
    await this.#leases?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  stats(): TrackerStats {
    return {
      ...this.#queue.stats(),
      ...this.#meter.stats(),
      budgetCrossings: this.#runs.crossings,
      budgetUnchecked: this.#budgets.unchecked,
    }
  }
}

const leasesOf = ({ url = defaultUrl, key, now }: TrackerOptions, base: () => Fetch): BudgetLeases =>
  createBudgetLeases({
    url,
    ...(key !== undefined && { key }),
    ...(now && { now }),
    timeoutMs: leaseTimeoutMs,
    fetch: (input, init) => base()(input, init),
  })

interface GlobalPatch {
  patch(): () => void
  undo(): void
  /** The global fetch as it was, while it is patched. */
  original(): Fetch | undefined
}

const createGlobalPatch = (metered: () => Fetch): GlobalPatch => {
  let original: Fetch | undefined
  let patched: Fetch | undefined
  const undo = (): void => {
    // Somebody may have wrapped ours in the meantime: theirs stays, and what reaches ours through it is no longer metered.
    if (globalThis.fetch === patched && original !== undefined) globalThis.fetch = original
    original = undefined
    patched = undefined
  }
  return {
    patch() {
      if (original === undefined) {
        const before = globalThis.fetch
        original = before
        const mine: Fetch = (input, init) => (patched === mine ? metered()(input, init) : before(input, init))
        patched = mine
        globalThis.fetch = mine
      }
      return undo
    },
    undo,
    original: () => original,
  }
}
