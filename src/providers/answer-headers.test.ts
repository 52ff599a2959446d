import { expect, test } from 'vitest'
import { withHeaders } from './answer-headers.ts'
import type { UsageReport } from './dialect.ts'

const silent: UsageReport = { usage: {}, quality: 'missing', flags: [], model: 'm' }
const told: UsageReport = { usage: { input: 7, output: 2 }, quality: 'complete', flags: [] }
const read = (report: UsageReport, headers: Record<string, string>) => {
  const all = new Headers(headers)
  return withHeaders(report, (name) => all.get(name))
}

test("a gateway's header is the cost, and the answer's own word goes before it", () => {
  expect(read(told, { 'X-LiteLLM-Response-Cost': '3.45e-05' })).toEqual({ ...told, reportedCost: 34_500_000n })
  const own = { ...told, reportedCost: 1n } as UsageReport
  expect(read(own, { 'x-litellm-response-cost': '3.45e-05' })).toEqual(own)
})

test('a gateway that does not know says None or zero, and neither is a cost', () => {
  for (const cost of ['None', '0.0', '']) expect(read(told, { 'x-litellm-response-cost': cost })).toEqual(told)
  expect(read(told, {})).toEqual(told)
})

test('Bedrock counts where the model does not, and only there', () => {
  const headers = {
    'X-Amzn-Bedrock-Input-Token-Count': '14',
    'X-Amzn-Bedrock-Output-Token-Count': '9',
    'X-Amzn-Bedrock-Cache-Read-Input-Token-Count': '100',
    'X-Amzn-Bedrock-Cache-Write-Input-Token-Count': '20',
    'X-Amzn-Bedrock-Invocation-Latency': '800',
  }
  const usage = { input: 14, output: 9, cache_read: 100, cache_write_5m: 20 }
  expect(read(silent, headers)).toEqual({ usage, quality: 'complete', flags: [], model: 'm' })
  expect(read(told, headers)).toEqual(told)
  expect(read({ ...silent, error: '429' }, headers)).toEqual({ ...silent, error: '429' })
  expect(read(silent, { 'x-amzn-bedrock-input-token-count': 'many' })).toEqual(silent)
})
