import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { afterAll, expect, test } from 'vitest'
import type { CallEntry } from '../core/event.ts'
import { picoUsd } from '../core/money.ts'
import { csvForm, parquetForm } from './export-forms.ts'

const folder = mkdtempSync(join(tmpdir(), 'taximeter-export-'))
afterAll(() => rmSync(folder, { recursive: true }))

const at = Date.UTC(2026, 10, 22, 10)
const call = (index: number, total: bigint | undefined): CallEntry => ({
  event: {
    id: `019ab000-0000-7000-8000-${String(index).padStart(12, '0')}`,
    at: at + index,
    source: 'sdk',
    kind: 'llm',
    provider: 'acme',
    model: 'one',
    usage: { input: 10 + index, output: 7 },
    quality: 'complete',
    status: 'ok',
    attempt: index % 2,
    task: index % 3 === 0 ? 'refund, "odd" شكرا' : 'search',
    ...(index % 5 === 0 && { durationMs: index }),
  },
  charge: total === undefined ? { basis: 'unpriced', reason: 'unknown-model' } : { basis: 'reported', total: picoUsd(total), lines: [] },
})

/** Readers make doubles of decimals; without the mark that they are decimals, the bytes come as they are. */
const exactCosts = async (bytes: ArrayBuffer): Promise<readonly (bigint | null)[]> => {
  const metadata = parquetMetadata(bytes)
  for (const element of metadata.schema) if (element.name === 'costUsd') delete element.converted_type
  const rows = (await parquetReadObjects({ file: bytes, metadata, utf8: false })) as unknown as readonly {
    readonly costUsd: Uint8Array | null
  }[]
  return rows.map(({ costUsd }) => (costUsd === null ? null : BigInt.asIntN(128, BigInt(`0x${Buffer.from(costUsd).toString('hex')}`))))
}

test('a Parquet file of several row groups reads back as what was written, every cost exact', async () => {
  const path = join(folder, 'calls.parquet')
  const costs = [0n, 1n, 117_650_001n, 12_345_678_901_234_567_890n, undefined, 9_007_199_254_740_993n]
  const entries = Array.from({ length: 41_000 }, (_, index) => call(index, costs[index % costs.length]))
  const form = await parquetForm(path)
  for (let start = 0; start < entries.length; start += 1_000) await form.add(entries.slice(start, start + 1_000))
  await form.end()
  const file = readFileSync(path)
  const bytes = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength) as ArrayBuffer
  expect(parquetMetadata(bytes).row_groups.map(({ num_rows }) => num_rows)).toEqual([20_000n, 20_000n, 1_000n])
  const rows = await parquetReadObjects({ file: bytes })
  expect(rows).toHaveLength(entries.length)
  expect(rows[3]).toMatchObject({
    id: entries[3]?.event.id,
    at: new Date(at + 3),
    task: 'refund, "odd" شكرا',
    tool: null,
    attempt: 1n,
    durationMs: null,
    promptTokens: 13n,
    usage: { input: 13, output: 7 },
    basis: 'reported',
  })
  expect(rows.at(-1)).toMatchObject({ id: entries.at(-1)?.event.id, at: new Date(at + 40_999) })
  expect(await exactCosts(bytes)).toEqual(entries.map((_, index) => costs[index % costs.length] ?? null))
})

test('a Parquet file without calls is one all the same', async () => {
  const path = join(folder, 'empty.parquet')
  await (await parquetForm(path)).end()
  const file = readFileSync(path)
  expect(parquetMetadata(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength) as ArrayBuffer).num_rows).toBe(0n)
})

test('CSV has the same columns as text', async () => {
  let text = ''
  const form = csvForm((part) => {
    text += part
  })
  await form.add([call(3, 117_650_001n), call(4, undefined)])
  const [head, first, second] = text.split('\r\n')
  expect(head).toMatch(/^id,at,kind,source,agent,task,.*,usage,basis,costUsd$/)
  expect(first).toContain('2026-11-22T10:00:00.003Z')
  expect(first).toMatch(/"refund, ""odd"" شكرا".*,"\{""input"":13,""output"":7\}",reported,0\.000117650001$/)
  expect(second).toMatch(/,unpriced,$/)
})
