import { traitsOf } from './compatible-providers.ts'
import { checkTotal, createTally, detailOf, mainCountOf, objectOf, put } from './counts.ts'
import type { Dialect, ReadContext, UsageReport } from './dialect.ts'
import { createMergingSink } from './merging-sink.ts'
import { azureModel } from './openai-chat.ts'
import { reportOf, unreadable } from './report.ts'
import { createStreamReader } from './stream-reader.ts'
import { errorCodeOf, nameOf } from './words.ts'

/** Embeddings of OpenAI and compatible servers: all that is counted went in. They do not stream. */
export const openaiEmbeddings: Dialect = {
  name: 'openai-embeddings',
  usagePath: ['usage'],
  matchesPath: (path) => /\/embeddings$/.test(path),
  matchesBody: (body) =>
    body.object === 'list' &&
    Array.isArray(body.data) &&
    (objectOf(body.data[0])?.object === 'embedding' || objectOf(body.data[0])?.embedding !== undefined),
  ofRequest: (body, path) => {
    const model = nameOf(body.model) ?? azureModel(path)
    return { isStream: false, operation: 'embedding', ...(model !== undefined && { model }) }
  },
  ofBody: (body, context) => ofAnswer(body, context),
  createReader: (context) =>
    createStreamReader(
      createMergingSink(context, {
        settle: ofAnswer,
        take(record, merged) {
          Object.assign(merged.answer, record)
          merged.isDone = true
        },
      }),
    ),
}

const ofAnswer = (body: unknown, context: ReadContext): UsageReport => {
  const answer = objectOf(body)
  if (answer === undefined) return unreadable()
  const tally = createTally()
  const usage = objectOf(answer.usage)
  const input = mainCountOf(tally, usage?.prompt_tokens ?? usage?.input_tokens ?? usage?.total_tokens)
  put(tally, 'input', input ?? 0)
  if (usage?.total_tokens !== undefined) checkTotal(tally, detailOf(tally, usage.total_tokens), input ?? 0)
  const error = objectOf(answer.error)
  return reportOf(tally, {
    model: nameOf(answer.model),
    responseId: nameOf(answer.id),
    reportedCost: usage && traitsOf(context.provider).costOf(usage),
    error: answer.error == null ? undefined : errorCodeOf(error?.code, error?.type, answer.error),
  })
}
