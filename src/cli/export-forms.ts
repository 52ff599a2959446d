import { amountOf } from '../core/charge.ts'
import type { CallEntry } from '../core/event.ts'
import { callJson } from '../server/entry-json.ts'
import { csvCell } from './csv.ts'

/** A file of calls while it is written, a page at a time. */
export interface ExportForm {
  add(page: readonly CallEntry[]): Promise<void> | void
  end(): Promise<void> | void
}

export const ndjsonForm = (write: (text: string) => void): ExportForm => ({
  add: (page) => write(page.map((entry) => `${JSON.stringify(callJson(entry))}\n`).join('')),
  end: () => undefined,
})

export const csvForm = (write: (text: string) => void): ExportForm => {
  write(`${Object.keys(columns).join(',')}\r\n`)
  const cellOf = ({ of, csv }: Column, entry: CallEntry): string => csvCell(String((csv ?? of)(callJson(entry), entry) ?? ''))
  return {
    add: (page) =>
      write(
        page
          .map(
            (entry) =>
              `${Object.values(columns)
                .map((column) => cellOf(column, entry))
                .join(',')}\r\n`,
          )
          .join(''),
      ),
    end: () => undefined,
  }
}

/** Rows that are held until they are written together: some 20 MB. */
const rowGroupRows = 20_000

/** Costs are decimals of 38 digits, 12 of them behind the point: exact, which a double is not. Needs a file, because it cannot be streamed as text. */
export const parquetForm = async (path: string): Promise<ExportForm> => {
  const { fileWriter, ParquetWriter } = await import('hyparquet-writer')
  const names = Object.keys(columns)
  const writer = fileWriter(path)
  const schema = [
    { name: 'root', num_children: names.length },
    ...names.map((name) => ({ name, ...parquetTypes[(columns[name] as Column).type] })),
  ]
  const file = new ParquetWriter({ writer, schema, createdBy: 'taximeter' })
  let data: Record<string, unknown[]> = {}
  let rows = 0
  const flush = async (): Promise<void> => {
    await file.write({ columnData: names.map((name) => ({ name, data: data[name] ?? [] })), rowGroupSize: rowGroupRows })
    data = {}
    rows = 0
  }
  return {
    async add(page) {
      for (const entry of page) {
        const call = callJson(entry)
        for (const name of names) (data[name] ??= []).push((columns[name] as Column).of(call, entry) ?? null)
      }
      rows += page.length
      if (rows >= rowGroupRows) await flush()
    },
    async end() {
      if (rows > 0) await flush()
      await file.finish()
    },
  }
}

const parquetTypes = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  json: { type: 'BYTE_ARRAY', converted_type: 'JSON', repetition_type: 'OPTIONAL' },
  time: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type: 'REQUIRED' },
  count: { type: 'INT64', repetition_type: 'OPTIONAL' },
  number: { type: 'DOUBLE', repetition_type: 'OPTIONAL' },
  usd: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, converted_type: 'DECIMAL', precision: 38, scale: 12, repetition_type: 'OPTIONAL' },
} as const

type Exported = ReturnType<typeof callJson>

interface Column {
  readonly type: keyof typeof parquetTypes
  readonly of: (call: Exported, entry: CallEntry) => unknown
  /** Where a cell of text differs. */
  readonly csv?: (call: Exported) => string | undefined
}

const text = (of: (call: Exported) => string | undefined): Column => ({ type: 'text', of })
const count = (of: (call: Exported) => number | undefined): Column => ({
  type: 'count',
  of: (call) => {
    const value = of(call)
    return value === undefined ? undefined : BigInt(value)
  },
})

/** The columns of the forms that are tables, in order; the usage is one cell, since its units differ from call to call. */
const columns: Readonly<Record<string, Column>> = {
  id: text((call) => call.id),
  at: { type: 'time', of: (_, { event }) => BigInt(event.at), csv: (call) => call.at },
  kind: text((call) => call.kind),
  source: text((call) => call.source),
  agent: text((call) => call.agent),
  task: text((call) => call.task),
  session: text((call) => call.session),
  run: text((call) => call.run),
  step: text((call) => call.step),
  release: text((call) => call.release),
  environment: text((call) => call.environment),
  team: text((call) => call.team),
  user: text((call) => call.user),
  provider: text((call) => (call.kind === 'llm' ? call.provider : undefined)),
  model: text((call) => (call.kind === 'llm' ? call.model : undefined)),
  tool: text((call) => (call.kind === 'tool' ? call.tool : undefined)),
  status: text((call) => call.status),
  error: text((call) => call.error),
  attempt: count((call) => call.attempt),
  durationMs: { type: 'number', of: (call) => call.durationMs },
  promptTokens: count((call) => (call.kind === 'llm' ? call.promptTokens : undefined)),
  completionTokens: count((call) => (call.kind === 'llm' ? call.completionTokens : undefined)),
  usage: {
    type: 'json',
    of: (call) => (call.kind === 'llm' ? call.usage : undefined),
    csv: (call) => (call.kind === 'llm' ? JSON.stringify(call.usage) : undefined),
  },
  basis: text((call) => call.charge.basis),
  costUsd: {
    type: 'usd',
    of: (_, { charge }) => (charge.basis === 'unpriced' ? undefined : amountOf(charge)),
    csv: (call) => (call.charge.basis === 'unpriced' ? undefined : call.charge.totalUsd),
  },
}
