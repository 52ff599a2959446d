import { arrayOf, checkTotal, createTally, detailOf, flag, type Json, mainCountOf, objectOf, put, type Tally } from './counts.ts'
import type { Dialect, UsageReport } from './dialect.ts'
import { createMergingSink, type Merged, reportOfList } from './merging-sink.ts'
import { reportOf, unreadable } from './report.ts'
import { addText, stringBytes } from './seen-text.ts'
import { createStreamReader } from './stream-reader.ts'
import { askedTier, errorCodeOf, modelInPath, nameOf, tierOf } from './words.ts'

/**
 * Bedrock's Converse, and InvokeModel for models that answer in its terms (Nova) or in terms of their own that no other API has
 * (Titan, Llama, Mistral's completions). Cache reads and writes lie beside the input; reasoning is part of the output and not told
 * apart. The answer does not name its model: the request's path does.
 */
export const bedrockConverse: Dialect = {
  name: 'bedrock-converse',
  usagePath: ['usage'],
  matchesPath: (path) => /\/model\/[^/]+\/(?:converse|converse-stream|invoke|invoke-with-response-stream)$/.test(path),
  matchesBody: (body) => {
    if (eventNames.some((name) => objectOf(body[name]) !== undefined) || metricsOf(body) !== undefined) return true
    if (body.inputTextTokenCount !== undefined || body.generation_token_count !== undefined) return true
    if (objectOf(arrayOf(body.outputs)[0])?.stop_reason !== undefined) return true
    const usage = objectOf(body.usage)
    if (usage?.inputTokens === undefined) return false
    return body.stopReason !== undefined || body.metrics !== undefined || isBedrockUsage(usage)
  },
  ofRequest: (body, path) => {
    const model = modelInPath(path) ?? nameOf(body.modelId)
    const limit = objectOf(body.inferenceConfig)?.maxTokens
    return {
      isStream: /-stream$/.test(path),
      operation: 'chat',
      ...(model !== undefined && { model }),
      ...(typeof limit === 'number' && limit > 0 && { outputMax: limit }),
      ...askedTier(objectOf(body.serviceTier)?.type),
    }
  },
  ofBody: (body, context) => (Array.isArray(body) ? reportOfList(body, createConverseSink(context)) : ofAnswer(body)),
  createReader: (context) => createStreamReader(createConverseSink(context)),
}

const eventNames = ['messageStart', 'contentBlockStart', 'contentBlockDelta', 'contentBlockStop', 'messageStop', 'metadata'] as const

const metricsOf = (answer: Json): Json | undefined => objectOf(answer['amazon-bedrock-invocationMetrics'])

/** The counts of an InvokeModel answer: Bedrock's own, which the last record of a stream has, else the model's. */
const invokeUsage = (answer: Json): Json | undefined => {
  const metrics = metricsOf(answer)
  if (metrics !== undefined) {
    const { inputTokenCount, outputTokenCount, cacheReadInputTokenCount, cacheWriteInputTokenCount } = metrics
    return { inputTokens: inputTokenCount, outputTokens: outputTokenCount, cacheReadInputTokenCount, cacheWriteInputTokenCount }
  }
  if (answer.generation_token_count !== undefined)
    return { inputTokens: answer.prompt_token_count, outputTokens: answer.generation_token_count }
  if (answer.inputTextTokenCount === undefined) return undefined
  const counts = arrayOf(answer.results).map((result) => Number(objectOf(result)?.tokenCount ?? 0))
  return { inputTokens: answer.inputTextTokenCount, outputTokens: counts.reduce((sum, count) => sum + count, 0) }
}

const isBedrockUsage = (usage: Json): boolean =>
  ['cacheReadInputTokens', 'cacheWriteInputTokens', 'cacheReadInputTokenCount', 'cacheDetails', 'serverToolUsage'].some(
    (key) => key in usage,
  )

const ofAnswer = (body: unknown): UsageReport => {
  const outer = objectOf(body)
  if (outer === undefined) return unreadable()
  const answer = objectOf(outer.metadata) ?? outer
  const tally = createTally()
  const usage = objectOf(answer.usage) ?? invokeUsage(answer)
  if (usage !== undefined) putConverseUsage(tally, usage)
  return reportOf(tally, {
    model: nameOf(objectOf(objectOf(answer.trace)?.promptRouter)?.invokedModelId) ?? nameOf(outer.model),
    tier: tierOf(objectOf(answer.serviceTier ?? outer.serviceTier)?.type ?? answer.serviceTier),
    error: answerError(outer),
  })
}

const answerError = (outer: Json): string | undefined => {
  if (outer.error != null) return errorCodeOf(objectOf(outer.error)?.type, objectOf(outer.error)?.code, outer.error)
  // SDKs print an exception of a stream under its own name.
  return Object.keys(outer).find((key) => /^[a-z][A-Za-z]{1,60}Exception$/.test(key))
}

const putConverseUsage = (tally: Tally, usage: Json): void => {
  const input = mainCountOf(tally, usage.inputTokens)
  const output = mainCountOf(tally, usage.outputTokens)
  const read = detailOf(tally, usage.cacheReadInputTokens ?? usage.cacheReadInputTokenCount)
  const told = usage.cacheWriteInputTokens ?? usage.cacheWriteInputTokenCount
  let oneHour = 0
  let fiveMinutes = 0
  for (const entry of arrayOf(usage.cacheDetails)) {
    const detail = objectOf(entry)
    const count = detailOf(tally, detail?.inputTokens)
    if (detail?.ttl === '1h') oneHour += count
    else fiveMinutes += count
  }
  const written = told == null ? oneHour + fiveMinutes : detailOf(tally, told)
  if (oneHour + fiveMinutes > written) flag(tally, 'details-exceed-total')
  const write1h = Math.min(oneHour, written)
  put(tally, 'input', input ?? 0)
  put(tally, 'cache_read', read)
  put(tally, 'cache_write_1h', write1h)
  put(tally, 'cache_write_5m', written - write1h)
  put(tally, 'output', output ?? 0)
  const total = usage.totalTokens == null ? undefined : detailOf(tally, usage.totalTokens)
  // Some models' totals leave the cache out.
  const plain = (input ?? 0) + (output ?? 0)
  if (total !== plain) checkTotal(tally, total, plain + read + written)
}

const createConverseSink = (context: Parameters<Dialect['createReader']>[0]) =>
  createMergingSink(context, {
    settle: ofAnswer,
    skips: (text, merged) => {
      if (!text.startsWith('{"contentBlockDelta"')) return text.startsWith('{"contentBlockSt') || text.startsWith('{"messageStart"')
      const isReasoning = text.indexOf('reasoningContent"') !== -1
      const bytes = stringBytes(text, 'text"')
      if (bytes < 0) return false
      merged.seen[isReasoning ? 'reasoning' : 'output'] += bytes
      return true
    },
    take: takeRecord,
  })

const takeRecord = (record: Json, merged: Merged): void => {
  const { answer, seen } = merged
  const delta = objectOf(objectOf(record.contentBlockDelta)?.delta)
  addText(seen, 'output', delta?.text)
  addText(seen, 'output', objectOf(delta?.toolUse)?.input)
  addText(seen, 'reasoning', objectOf(delta?.reasoningContent)?.text)
  addText(seen, 'output', record.generation ?? record.outputText)
  for (const output of arrayOf(record.outputs)) addText(seen, 'output', objectOf(output)?.text)
  const metadata = objectOf(record.metadata)
  const metrics = metricsOf(record)
  if (metrics !== undefined) answer['amazon-bedrock-invocationMetrics'] = metrics
  if (record.error != null) answer.error = record.error
  for (const key of Object.keys(record)) if (key.endsWith('Exception')) answer[key] = record[key]
  merged.hasFailed = answerError(answer) !== undefined
  if (metadata !== undefined) Object.assign(answer, metadata)
  // An answer that was not streamed has all in one.
  else if (objectOf(record.usage) !== undefined) Object.assign(answer, record)
  if (answer.usage !== undefined || (metrics !== undefined && record.messageStop === undefined)) merged.isDone = true
}
