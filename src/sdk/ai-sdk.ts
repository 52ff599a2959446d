import { tracingChannel } from 'node:diagnostics_channel'
import { shortName } from './attribution.ts'
import type { Runs, Scope } from './runs.ts'
import { eventOfTool } from './tool-call.ts'
import type { Warn } from './warning.ts'

/** What the AI SDK (7 and later) tells of itself, as far as it is looked at. */
interface Telling {
  readonly type?: unknown
  readonly event?: { readonly stepNumber?: unknown; readonly toolCall?: { readonly toolName?: unknown } }
  readonly result?: unknown
  readonly error?: unknown
}

export interface AiSdkOptions {
  readonly runs: Runs
  readonly nextId: () => string
  readonly now: () => number
  readonly warn: Warn
}

/**
 * Follows the AI SDK's own telemetry for its structure: the calls of each step carry the step, and each tool that it runs is a
 * call. Never for tokens: those are read at fetch, once. Returns how to stop.
 */
export const followAiSdk = ({ runs, nextId, now, warn }: AiSdkOptions): (() => void) => {
  const channel = tracingChannel<unknown, Telling>('ai:telemetry')
  const tools = new WeakMap<Telling, { readonly scope: Scope; readonly call: ReturnType<typeof eventOfTool> }>()

  const scopeOf = (telling: Telling): Scope => {
    const scope = runs.scope()
    const number = telling.event?.stepNumber
    // A step that the user named says more than a number.
    if (telling.type !== 'step' || typeof number !== 'number' || scope.attribution.step !== undefined) return scope
    return { run: scope.run, attribution: { ...scope.attribution, step: `step ${number + 1}` } }
  }

  const handlers = {
    start(telling: Telling) {
      const name = telling.event?.toolCall?.toolName
      if (telling.type !== 'executeTool' || typeof name !== 'string') return
      const scope = runs.scope()
      const context = { id: nextId(), at: now(), attribution: scope.attribution, warn }
      tools.set(telling, { scope, call: eventOfTool(shortName(name, 'tool', warn), {}, context) })
    },
    end() {},
    asyncStart() {},
    asyncEnd(telling: Telling) {
      const tool = tools.get(telling)
      if (tool === undefined) return
      const error = telling.error ?? toolErrorIn(telling.result)
      runs.record(tool.scope.run, error === undefined ? tool.call.ended(undefined) : tool.call.failed(error))
    },
    error() {},
  }

  channel.start.bindStore(runs.storage, scopeOf)
  channel.subscribe(handlers)
  return () => {
    channel.unsubscribe(handlers)
    channel.start.unbindStore(runs.storage)
  }
}

/** A tool that threw is an output like any other to the AI SDK. */
const toolErrorIn = (result: unknown): unknown => {
  const output = (result as { output?: { type?: unknown; error?: unknown } } | null | undefined)?.output
  return output?.type === 'tool-error' ? (output.error ?? 'error') : undefined
}
