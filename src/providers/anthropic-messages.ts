import type { UsageFlag } from '../core/usage.ts'
import type { Variant } from '../core/variant.ts'
import { putAnthropicUsage } from './anthropic-usage.ts'
import { traitsOf } from './compatible-providers.ts'
import { countOf, createTally, flag, type Json, objectOf, put, type Tally } from './counts.ts'
import type { Dialect, ReadContext, UsageReport } from './dialect.ts'
import { partialReport, reportOf, unreadable, withFlags } from './report.ts'
import {
  addText,
  createPlainText,
  estimatedReport,
  type PlainText,
  type SeenText,
  scanned,
  scanString,
  tokensOf,
  valueAt,
} from './seen-text.ts'
import { createStreamReader, parseRecord, type RecordSink } from './stream-reader.ts'
import { errorCodeOf, modelInPath, nameOf, tierOf } from './words.ts'

/**
 * Anthropic's messages, also as Vertex and Bedrock (InvokeModel) and compatible servers give them.
 *
 * Input, cache reads and cache writes lie beside one another; thinking is part of the output. In a stream the start has the
 * prompt, and each delta repeats all counts, grown: it overwrites, and is never added.
 */
export const anthropicMessages: Dialect = {
  name: 'anthropic-messages',
  usagePath: ['usage'],
  onlyWith: [
    { units: ['cache_write_5m', 'cache_write_1h'], words: ['cache_control'] },
    { units: ['cache_write_1h'], words: ['"1h"'] },
  ],
  matchesPath: (path) =>
    /\/messages$|\/publishers\/anthropic\/models\/[^/]+:(?:streamR|r)awPredict$|\/model\/[^/]*anthropic[^/]*\/invoke(?:-with-response-stream)?$/.test(
      path,
    ),
  matchesBody: (body) => {
    const type = body.type
    if (type === 'message' || type === 'message_start' || type === 'message_delta' || type === 'message_stop') return true
    if (type === 'error' && objectOf(body.error)?.type !== undefined && !('event_id' in body)) return true
    const usage = objectOf(body.usage)
    // No other usage has input and output tokens and no total.
    return (
      usage?.input_tokens !== undefined && usage.output_tokens !== undefined && usage.total_tokens === undefined && usage.type === undefined
    )
  },
  ofRequest: (body, path) => {
    const model = nameOf(body.model) ?? modelInPath(path)
    const limit = body.max_tokens
    return {
      isStream: body.stream === true || /stream/i.test(path),
      operation: 'chat',
      ...(model !== undefined && { model }),
      ...(typeof limit === 'number' && limit > 0 && { outputMax: limit }),
      ...askedVariant(body),
    }
  },
  ofBody: (body, context) => ofMessage(body, context),
  createReader: (context) => createStreamReader(createMessageSink(context)),
}

/** Where a call ran, if nobody asked for a place: no price depends on these. */
const unpricedGeos: ReadonlySet<string> = new Set(['global', 'not_available', 'default'])

const regionOf = (geo: unknown): string | undefined => {
  const name = nameOf(geo)?.toLowerCase()
  return name === undefined || unpricedGeos.has(name) ? undefined : name
}

const speedOf = (value: unknown): string | undefined => {
  const name = nameOf(value)
  return name === 'standard' ? undefined : name
}

/** The better tier is for who has bought it beforehand, and costs nothing more by the call. */
const askedVariant = (body: Json): Variant => {
  const speed = speedOf(body.speed)
  const region = regionOf(body.inference_geo)
  return { ...(speed !== undefined && { speed }), ...(region !== undefined && { region }) }
}

const ofMessage = (body: unknown, context: ReadContext): UsageReport => {
  const message = objectOf(body)
  if (message === undefined) return unreadable()
  const tally = createTally()
  const usage = objectOf(message.usage)
  const isRefused = message.stop_reason === 'refusal' && usage?.output_tokens === 0
  const settled = usage === undefined ? undefined : putAnthropicUsage(isRefused ? createTally() : tally, usage)
  // What is refused before any of its answer is there is not billed, and so used nothing
  // (platform.claude.com/docs/en/build-with-claude/refusals-and-fallback).
  if (isRefused) tally.isKnown = true
  const isCredited = objectOf(objectOf(usage?.fallback_credit)?.status)?.type === 'redeemed'
  // The retry is billed as if its model had held the conversation from the start: what it wrote to the cache may be a read on the bill.
  if (isCredited) flag(tally, 'billed-otherwise')
  const facts = {
    model: settled?.servedBy ?? nameOf(message.model),
    responseId: nameOf(message.id),
    tier: tierOf(usage?.service_tier ?? message.service_tier),
    speed: speedOf(usage?.speed),
    region: regionOf(usage?.inference_geo),
    reportedCost: usage === undefined ? undefined : traitsOf(context.provider).costOf(usage),
    error: messageError(message),
    also: settled?.also,
  }
  return isCredited ? reportOf(tally, facts, 'estimated') : reportOf(tally, facts)
}

const messageError = (message: Json): string | undefined => {
  if (message.error === undefined || message.error === null) return undefined
  const error = objectOf(message.error)
  return errorCodeOf(error?.type, error?.code, message.error)
}

const createMessageSink = (context: ReadContext): RecordSink => {
  const seen: SeenText = { output: 0, reasoning: 0 }
  const flags: UsageFlag[] = []
  // The parsed start is nobody else's: it is filled up with what the deltas tell.
  let message: Record<string, unknown> | undefined
  let usage: Record<string, unknown> | undefined
  let error: unknown
  let stopReason: unknown
  let outputBefore = -1
  let isStopped = false
  const plain = createPlainText(seen)

  const note = (name: UsageFlag): void => {
    if (!flags.includes(name)) flags.push(name)
  }

  const takeStart = (started: Json | undefined): void => {
    if (started === undefined) return
    if (message !== undefined) note('repeated-start')
    message ??= started
    usage ??= objectOf(started.usage) ?? {}
  }

  /** Counts only grow, so that a delta with less output than one before is that one sent again. */
  const takeDelta = (delta: Json | undefined): void => {
    if (delta === undefined) return
    const output = typeof delta.output_tokens === 'number' ? delta.output_tokens : outputBefore
    if (output < outputBefore) {
      note('repeated-usage')
      return
    }
    outputBefore = output
    usage ??= {}
    for (const key of Object.keys(delta)) {
      const value = delta[key]
      // Compatible servers print a zero for what only their start knew; a prompt that was read cannot be unread.
      const isUnsaid = value === null || value === undefined || (value === 0 && key !== 'output_tokens')
      if (!isUnsaid || usage[key] === undefined) usage[key] = value
    }
  }

  /** Bedrock counts for models that say nothing themselves, in the last record. */
  const takeMetrics = (metrics: Json | undefined): void => {
    if (metrics === undefined || isCounted()) return
    usage = {
      input_tokens: metrics.inputTokenCount,
      output_tokens: metrics.outputTokenCount,
      cache_read_input_tokens: metrics.cacheReadInputTokenCount,
      cache_creation_input_tokens: metrics.cacheWriteInputTokenCount,
    }
  }

  const isCounted = (): boolean => usage?.input_tokens != null || outputBefore >= 0

  const takeRecord = (record: Json): void => {
    if (record.type === 'message_start') takeStart(objectOf(record.message))
    else if (record.type === 'message_delta') {
      stopReason = objectOf(record.delta)?.stop_reason ?? stopReason
      takeDelta(objectOf(record.usage))
    } else if (record.type === 'message_stop') {
      takeMetrics(objectOf(record['amazon-bedrock-invocationMetrics']))
      isStopped = true
    } else if (record.error != null) error = record.error
    else if (record.type === 'message') {
      takeStart(record)
      isStopped = true
    } else if (record.type === 'content_block_delta') addDelta(seen, objectOf(record.delta))
  }

  const sink: RecordSink = {
    isDone: false,
    plain,
    record(text) {
      plain.forget()
      if (sink.isDone) return
      const kind = kindOf(text)
      if (kind === 'stop' && isCounted()) {
        isStopped = sink.isDone = true
        return
      }
      if (kind === 'delta' ? countDelta(text, seen, plain) : kind !== undefined && kind !== 'stop') return
      const record = parseRecord(text)
      if (record === undefined) note('malformed-chunk')
      else takeRecord(record)
      // Nothing follows an error, and the client that is told of one leaves the rest unread.
      sink.isDone = isStopped || error !== undefined
    },
    report(framing) {
      const odd: UsageFlag[] = [...framing, ...flags]
      if (!isStopped && error === undefined) odd.push('truncated-stream')
      const whole = message ?? {}
      if (usage !== undefined) whole.usage = usage
      if (stopReason !== undefined) whole.stop_reason = stopReason
      if (error !== undefined) whole.error = error
      const report = ofMessage(whole, context)
      if (report.quality === 'missing') return withFlags(estimatedReport(report, seen, context), odd)
      if (isStopped) return withFlags(report, odd)
      return withFlags(outputBefore >= 0 ? partialReport(report) : withSeenOutput(report, whole, seen), odd)
    },
  }
  return sink
}

/** Cut before any delta: the prompt is known from the start, the output only from the text that went by. */
const withSeenOutput = (report: UsageReport, whole: Json, seen: SeenText): UsageReport => {
  const estimate = tokensOf(seen.output) + tokensOf(seen.reasoning)
  const started = countOf(createTally(), objectOf(whole.usage)?.output_tokens) ?? 0
  if (estimate <= started) return partialReport(report)
  const tally: Tally = { ...createTally(), isKnown: true }
  for (const name of report.flags) flag(tally, name)
  for (const [unit, count] of Object.entries(report.usage)) {
    if (unit !== 'output' && unit !== 'reasoning') put(tally, unit as keyof UsageReport['usage'], count ?? 0)
  }
  put(tally, 'output', tokensOf(seen.output))
  put(tally, 'reasoning', tokensOf(seen.reasoning))
  return { ...report, usage: tally.units, quality: 'estimated', flags: tally.flags }
}

/**
 * Blocks are what a stream mostly consists of, and hold no counts. The text of a delta is counted where it stands. Types are told
 * apart by single letters, since comparing prefixes of every record costs as much as parsing some; what is written with spaces or
 * in another order than Anthropic's is parsed.
 */
const kindOf = (text: string): 'delta' | 'block' | 'ping' | 'stop' | undefined => {
  if (text.charCodeAt(2) !== 116 || text.charCodeAt(8) !== 34) return undefined
  const [first, after] = [text.charCodeAt(9), text.charCodeAt(23)]
  // content_block_delta, content_block_start, content_block_stop
  if (first === 99 && text.charCodeAt(22) === 95) return after === 100 ? 'delta' : after === 115 ? 'block' : undefined
  if (first === 112 && text.charCodeAt(12) === 103) return 'ping'
  // message_stop, which is not message_start
  return first === 109 && text.charCodeAt(17) === 115 && text.charCodeAt(19) === 111 ? 'stop' : undefined
}

const deltaTypeAt = '{"type":"content_block_delta"'.length

/** Counts a delta's text; false when the text is not where Anthropic has it. */
const countDelta = (text: string, seen: SeenText, plain: PlainText): boolean => {
  const at = text.indexOf('_delta"', deltaTypeAt)
  const key = at === -1 ? undefined : textKeys[text.charCodeAt(at - 1)]
  if (key === undefined) return at !== -1
  const [name, kind] = key
  const after = text.indexOf(name, at + 7)
  const start = after === -1 ? -1 : valueAt(text, after + name.length)
  const end = start === -1 || text.charCodeAt(start) !== 34 ? -1 : scanString(text, start + 1)
  if (end === -1) return false
  seen[kind] += scanned.bytes
  plain.learn(start + 1, kind)
  return true
}

/** What holds the text of a delta, by the last letter of the delta's type: text_delta, input_json_delta, thinking_delta. */
const textKeys: Readonly<Record<number, readonly [string, keyof SeenText]>> = {
  116: ['text"', 'output'],
  110: ['json"', 'output'],
  103: ['thinking"', 'reasoning'],
}

const addDelta = (seen: SeenText, delta: Json | undefined): void => {
  addText(seen, 'output', delta?.text)
  addText(seen, 'output', delta?.partial_json)
  addText(seen, 'reasoning', delta?.thinking)
}
