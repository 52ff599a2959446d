import { arrayOf, type Json, objectOf } from './counts.ts'
import type { UsageReport } from './dialect.ts'
import { sumOfReports } from './report.ts'

/**
 * One line of the results of a batch → the answer that it holds, or its error in the form of an answer; undefined for anything else.
 *
 * OpenAI, Azure, Groq, Mistral and their like: `custom_id` and `response.body`; Anthropic: `custom_id` and `result`; Gemini: `key`,
 * Vertex: `request`, and `response`; Bedrock: `recordId` and `modelOutput`.
 */
export const batchAnswerOf = (line: Json): Json | undefined => {
  const response = objectOf(line.response)
  if (line.custom_id !== undefined) {
    const result = objectOf(line.result)
    if (result !== undefined) return objectOf(result.message) ?? failureOf(objectOf(result.error)?.error ?? { type: result.type })
    if ('response' in line) return objectOf(response?.body) ?? (line.error == null ? response : failureOf(line.error))
  }
  if (line.key !== undefined || line.request !== undefined) return response ?? ('error' in line ? failureOf(line.error) : undefined)
  if (line.recordId === undefined) return undefined
  return objectOf(line.modelOutput) ?? ('error' in line ? failureOf({ code: objectOf(line.error)?.errorCode }) : undefined)
}

const failureOf = (error: unknown): Json => ({ error })

/** Each answer of a batch is billed by the list of batches, whether it says so or not. */
export const asBatch = ({ also, ...report }: UsageReport): UsageReport => ({
  ...report,
  tier: 'batch',
  ...(also && { also: also.map((part) => ({ ...part, tier: 'batch' })) }),
})

/** The answers of one batch as one: those of the first model summed, and beside it those of every other. Answers that failed cost nothing. */
export const joinedReports = (reports: readonly UsageReport[]): UsageReport => {
  const good = reports.filter((report) => report.error === undefined)
  const [first] = good
  if (first === undefined) return reports[0] ?? sumOfReports([])
  const parts = good.flatMap(({ also = [], ...report }) => [report, ...also])
  const models = new Set(parts.map((part) => part.model))
  const [main = first, ...others] = [...models].map((model) => {
    const same = parts.filter((part) => part.model === model)
    return { ...sumOfReports(same), tier: 'batch', ...(model !== undefined && { model }) }
  })
  const also = others.map((part) => ({ ...part, model: part.model ?? 'unknown' }))
  return { ...main, ...(also.length > 0 && { also }) }
}

/** The lines of a batch's results, where a parsed answer is one line of them or a list of them. */
export const batchAnswersOf = (body: unknown): readonly Json[] | undefined => {
  const answers = (Array.isArray(body) ? arrayOf(body) : [body]).map((line) => batchAnswerOf(objectOf(line) ?? {}))
  const known = answers.filter((answer) => answer !== undefined)
  return known.length > 0 && known.length === answers.length ? known : undefined
}
