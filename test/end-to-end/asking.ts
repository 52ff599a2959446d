import type { AnswerRow, CallJson, EntriesAnswer, ErrorJson, IngestAnswer, QueryAnswer, RunJson, RunsAnswer } from '../../src/server/api.ts'

/** What a client of the HTTP API asks of a server that is a process of its own. */
const getJson = async <Answer>(url: string): Promise<Answer> => {
  const response = await fetch(url)
  const body = await response.text()
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${body}`)
  return JSON.parse(body) as Answer
}

/** Sends events and gives the answer whatever its status. */
export const post = async (
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
): Promise<{ readonly status: number; readonly body: IngestAnswer & ErrorJson }> => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(`${url}/v1/events`, { method: 'POST', headers, body: text })
  return { status: response.status, body: JSON.parse(await response.text()) }
}

export const query = (url: string, question: string): Promise<QueryAnswer> => getJson(`${url}/v1/query?${question}`)

/** Every raw entry that is counted, page by page. */
export const allEntries = async (url: string, period = 'last=7d', limit = 1_000): Promise<readonly CallJson[]> => {
  const entries: CallJson[] = []
  let after = ''
  do {
    const page: EntriesAnswer = await getJson(`${url}/v1/entries?${period}&limit=${limit}${after}`)
    entries.push(...page.entries)
    after = page.next === undefined ? '' : `&after=${encodeURIComponent(page.next)}`
  } while (after !== '')
  return entries
}

export const allRuns = async (url: string, period = 'last=7d'): Promise<readonly RunJson[]> => {
  const runs: RunJson[] = []
  let after = ''
  do {
    const page: RunsAnswer = await getJson(`${url}/v1/runs?${period}&limit=1000${after}`)
    runs.push(...page.runs)
    after = page.next === undefined ? '' : `&after=${encodeURIComponent(page.next)}`
  } while (after !== '')
  return runs
}

/** The value of one line of /metrics as it is printed; "0" where there is no such line, as Prometheus would have it. */
export const metric = async (url: string, series: string): Promise<string> => {
  const text = await (await fetch(`${url}/metrics`)).text()
  const line = text.split('\n').find((each) => each.startsWith(`${series} `))
  return line?.slice(series.length + 1) ?? '0'
}

/** Dollars as an integer of 10⁻¹² dollars, so that sums are exact. */
export const pico = (usd: unknown): bigint => {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,12}))?$/.exec(String(usd)) ?? []
  if (whole === '') throw new Error(`${String(usd)} is no amount of dollars.`)
  return BigInt(`${sign}${whole}${fraction.padEnd(12, '0')}`)
}

export const sumOf = (amounts: Iterable<bigint>): bigint => {
  let sum = 0n
  for (const amount of amounts) sum += amount
  return sum
}

export const rowsBy = (rows: readonly AnswerRow[], attribute: string): ReadonlyMap<string, AnswerRow> =>
  new Map(rows.map((row) => [String(row[attribute]), row]))

/** gpt-4.1 costs $2 and $8 per million tokens; a plain call of it. */
export const callOf = (id: string, more: Readonly<Record<string, unknown>> = {}) => ({
  id,
  at: Date.now(),
  kind: 'llm',
  provider: 'openai',
  model: 'gpt-4.1',
  usage: { input: 1_000, output: 500 },
  ...more,
})
