import type { PicoUsd } from '../core/money.ts'
import { anthropicMessages } from './anthropic-messages.ts'
import { answerWithUsage, dialectOfUsage } from './bare-usage.ts'
import { bedrockConverse } from './bedrock-converse.ts'
import { cohere } from './cohere.ts'
import {
  arrayOf,
  checkTotal,
  createTally,
  detailOf,
  type Json,
  mainCountOf,
  objectOf,
  put,
  putPrompt,
  remainderOf,
  type Tally,
} from './counts.ts'
import type { Dialect, ReadContext, UsageReport } from './dialect.ts'
import { gemini } from './gemini.ts'
import { createMergingSink, type Merged, reportOfList } from './merging-sink.ts'
import { mistral } from './mistral.ts'
import { ollama } from './ollama.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiResponses } from './openai-responses.ts'
import { perplexity } from './perplexity.ts'
import { reportOf, sumOfReports, unreadable } from './report.ts'
import { usdOf } from './reported-cost.ts'
import { addText } from './seen-text.ts'
import { createStreamReader } from './stream-reader.ts'
import { errorCodeOf, nameOf } from './words.ts'

/**
 * Results of the Vercel AI SDK, versions 4 to 7, whole or as the parts of a stream.
 *
 * From version 6 on every usage has the provider's own object as `raw`, which knows more (lifetimes, tiers, cost) and is read
 * instead. Version 5 has it for some providers in the metadata. Sums over several steps have none.
 */
export const vercelAi: Dialect = {
  name: 'vercel-ai',
  usagePath: ['usage'],
  matchesPath: () => false,
  matchesBody: (body) => {
    if (typeof body.type === 'string' && (body.type === 'finish' || body.type === 'finish-step' || body.type === 'text-delta')) return true
    const usage = objectOf(body.totalUsage) ?? objectOf(body.usage)
    if (usage === undefined) return false
    if (objectOf(usage.inputTokenDetails) !== undefined || objectOf(usage.inputTokens) !== undefined || objectOf(usage.raw) !== undefined)
      return true
    return (
      usage.inputTokens !== undefined || usage.promptTokens !== undefined || (usage.tokens !== undefined && body.embeddings !== undefined)
    )
  },
  ofRequest: (body) => {
    const model = nameOf(body.model)
    return { isStream: body.stream === true, operation: 'chat', ...(model !== undefined && { model }) }
  },
  ofBody: (body, context) => (Array.isArray(body) ? reportOfList(body, createPartSink(context)) : ofResult(body, context)),
  createReader: (context) => createStreamReader(createPartSink(context)),
}

/** Whose objects stand in `raw`. */
const rawDialects: readonly Dialect[] = [
  anthropicMessages,
  openaiResponses,
  gemini,
  bedrockConverse,
  cohere,
  ollama,
  mistral,
  perplexity,
  openaiChat,
]

const ofResult = (body: unknown, context: ReadContext): UsageReport => {
  const result = objectOf(body)
  if (result === undefined) return unreadable()
  const response = objectOf(result.response)
  const facts = {
    model: nameOf(response?.modelId) ?? nameOf(objectOf(result.model)?.modelId),
    responseId: nameOf(response?.id),
    error: result.type === 'error' || result.error != null ? errorOf(result.error) : undefined,
  }
  const usage = usageOf(result)
  const raw = usage && rawOf(usage, result)
  const dialect = raw && dialectOfUsage(raw, rawDialects)
  if (raw !== undefined && dialect !== undefined) {
    const report = dialect.ofBody(answerWithUsage(dialect, raw), context)
    const reportedCost = report.reportedCost ?? gatewayCost(result)
    if (report.quality !== 'missing') return { ...report, ...defined({ ...facts, reportedCost }) }
  }
  const tally = createTally()
  if (usage !== undefined) putSdkUsage(tally, usage, context)
  if (result.images !== undefined || result.image !== undefined) asPictures(tally)
  return reportOf(tally, { ...facts, reportedCost: gatewayCost(result) })
}

/** What came out of a model that draws is a picture; the SDK counts it as it counts text. */
const asPictures = (tally: Tally): void => {
  put(tally, 'output_image', tally.units.output ?? 0)
  delete tally.units.output
}

/**
 * What Vercel's gateway took for one step, its surcharges included where it names them; a sum over several steps says only what the
 * last one cost. A cost of zero is that of a call that the caller's own key paid for, and no cost.
 */
const gatewayCost = (result: Json): PicoUsd | undefined => {
  if (arrayOf(result.steps).length > 1) return undefined
  const gateway = objectOf(objectOf(result.providerMetadata)?.gateway)
  const cost = usdOf(gateway?.cost)
  return cost === 0n ? undefined : (usdOf(gateway?.gatewayCost) ?? cost)
}

const defined = (facts: {
  readonly model?: string | undefined
  readonly responseId?: string | undefined
  readonly error?: string | undefined
  readonly reportedCost?: PicoUsd | undefined
}) => ({
  ...(facts.model !== undefined && { model: facts.model }),
  ...(facts.responseId !== undefined && { responseId: facts.responseId }),
  ...(facts.error !== undefined && { error: facts.error }),
  ...(facts.reportedCost !== undefined && { reportedCost: facts.reportedCost }),
})

const errorOf = (error: unknown): string => errorCodeOf(objectOf(error)?.statusCode, objectOf(error)?.name, objectOf(error)?.code)

/** Where a result has both, `usage` is the last step's and `totalUsage` the sum over all: the larger one is the call's. */
const usageOf = (result: Json): Json | undefined => {
  const last = objectOf(result.usage)
  const sum = objectOf(result.totalUsage)
  if (last === undefined || sum === undefined) return last ?? sum
  return Number(sum.totalTokens) > Number(last.totalTokens) ? sum : last
}

const rawOf = (usage: Json, result: Json): Json | undefined => {
  const raw = objectOf(usage.raw)
  if (raw !== undefined || usage !== result.usage) return raw
  const metadata = objectOf(result.providerMetadata)
  return objectOf(objectOf(metadata?.anthropic)?.usage) ?? objectOf(objectOf(metadata?.google)?.usageMetadata)
}

/** In version 5 the input of these had the cached tokens beside it, as their own APIs do; from version 6 on it never has. */
const cachedBesideInV5: ReadonlySet<string> = new Set(['anthropic', 'bedrock'])

const putSdkUsage = (tally: Tally, usage: Json, context: ReadContext): void => {
  const inputs = objectOf(usage.inputTokens)
  const outputs = objectOf(usage.outputTokens)
  const details = objectOf(usage.inputTokenDetails)
  const input = mainCountOf(tally, inputs?.total ?? (inputs ? undefined : (usage.inputTokens ?? usage.promptTokens ?? usage.tokens)))
  const output = mainCountOf(tally, outputs?.total ?? (outputs ? undefined : (usage.outputTokens ?? usage.completionTokens)))
  const cached = detailOf(tally, inputs?.cacheRead ?? details?.cacheReadTokens ?? usage.cachedInputTokens)
  const written = detailOf(tally, inputs?.cacheWrite ?? details?.cacheWriteTokens)
  const reasoning = detailOf(tally, outputs?.reasoning ?? objectOf(usage.outputTokenDetails)?.reasoningTokens ?? usage.reasoningTokens)
  const isCachedBeside = inputs === undefined && details === undefined && cachedBesideInV5.has(context.provider)
  const whole = (input ?? 0) + (isCachedBeside ? cached : 0)
  putPrompt(tally, { whole, cached, written })
  const total = usage.totalTokens == null ? undefined : detailOf(tally, usage.totalTokens)
  const isReasoningBeside = reasoning > 0 && total !== undefined && total === (input ?? 0) + (output ?? 0) + reasoning
  put(tally, 'reasoning', reasoning)
  put(tally, 'output', isReasoningBeside ? (output ?? 0) : remainderOf(tally, output ?? 0, reasoning, 'details-exceed-total'))
  const plain = (input ?? 0) + (output ?? 0) + (isReasoningBeside ? reasoning : 0)
  if (total !== plain) checkTotal(tally, total, plain + (isCachedBeside ? cached : 0))
}

const createPartSink = (context: ReadContext) => createMergingSink(context, { settle: ofParts, take: takePart })

const takePart = (part: Json, merged: Merged): void => {
  const { answer, seen } = merged
  if (part.type === 'text-delta' || part.type === 'text') addText(seen, 'output', part.delta ?? part.text ?? part.textDelta)
  else if (part.type === 'reasoning-delta' || part.type === 'reasoning')
    addText(seen, 'reasoning', part.delta ?? part.text ?? part.textDelta)
  else if (part.type === 'tool-input-delta') addText(seen, 'output', part.delta ?? part.inputTextDelta)
  else if (part.type === 'response-metadata') answer.response = { ...objectOf(answer.response), id: part.id, modelId: part.modelId }
  else if (part.type === 'error') answer.error = part.error ?? 'error'
  else if (part.type === 'finish-step') answer.steps = [...arrayOf(answer.steps), part]
  else if (part.type === 'finish') {
    answer.finish = part
    merged.isDone = true
  } else if (part.usage !== undefined || part.totalUsage !== undefined) {
    answer.finish = part
    merged.isDone = true
  }
}

/** One step is read as it came, `raw` and all; of several the sum of the finish is, or the sum of those that were finished. */
const ofParts = (answer: Json, context: ReadContext): UsageReport => {
  const steps = arrayOf(answer.steps)
    .map(objectOf)
    .filter((step) => step !== undefined)
  const finish = objectOf(answer.finish)
  const response = objectOf(steps.at(-1)?.response) ?? objectOf(answer.response) ?? objectOf(finish?.response)
  const error = answer.error === undefined ? {} : { error: answer.error }
  const single = steps.length === 1 ? steps[0] : undefined
  if (single !== undefined) return ofResult({ ...single, ...error, response }, context)
  if (finish !== undefined) return ofResult({ ...finish, ...error, response }, context)
  const sum = sumOfReports(steps.map((step) => ofResult(step, context)))
  return {
    ...sum,
    ...defined({
      model: nameOf(response?.modelId),
      responseId: nameOf(response?.id),
      error: answer.error === undefined ? undefined : errorOf(answer.error),
    }),
  }
}
