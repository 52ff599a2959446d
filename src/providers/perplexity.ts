import { traitsOf } from './compatible-providers.ts'
import { createTally, objectOf, putUncounted } from './counts.ts'
import type { Dialect, UsageReport } from './dialect.ts'
import { chatError, createChatSink, openaiChat, putChatUsage } from './openai-chat.ts'
import { reportOf, unreadable } from './report.ts'
import { createStreamReader } from './stream-reader.ts'
import { nameOf } from './words.ts'

/**
 * Perplexity: chat completions with usage in every chunk, reasoning and citations counted apart from the total, and what the call
 * cost. Requests and searches are billed besides the tokens by rules of their own (context size, search type): they are in
 * `cost.total_cost`, which is the charge, and are not counted as units.
 */
export const perplexity: Dialect = {
  name: 'perplexity',
  usagePath: ['usage'],
  matchesPath: (path) => /\/v1\/sonar$/.test(path),
  matchesBody: (body) => {
    const usage = objectOf(body.usage)
    return (
      usage !== undefined &&
      (usage.search_context_size !== undefined || objectOf(usage.cost)?.total_cost !== undefined || usage.citation_tokens !== undefined)
    )
  },
  ofRequest: (body, path) => ({ ...openaiChat.ofRequest(body, path), operation: 'chat' }),
  ofBody: (body) => ofAnswer(body),
  createReader: (context) => createStreamReader(createChatSink(context, { traits: perplexityTraits, settle: ofAnswer })),
}

const perplexityTraits = traitsOf('perplexity')

const ofAnswer = (body: unknown): UsageReport => {
  const answer = objectOf(body)
  if (answer === undefined) return unreadable()
  const tally = createTally()
  const usage = objectOf(answer.usage)
  const reportedCost = usage && perplexityTraits.costOf(usage)
  if (usage !== undefined) putChatUsage(tally, usage, perplexityTraits)
  // The request is billed too, by a rule of its own that only the cost tells the outcome of.
  if (tally.isKnown && reportedCost === undefined) putUncounted(tally, 1)
  return reportOf(tally, {
    model: nameOf(answer.model),
    responseId: nameOf(answer.id),
    reportedCost,
    error: chatError(answer),
  })
}
