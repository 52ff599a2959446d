import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BenchProcess, startProcess } from './processes.ts'

/** Three budgets bind every call, and none of them is ever spent. */
const budgets = [
  { name: 'all', scope: 'all', limit: '$1000000', per: 'day' },
  { name: 'agent', scope: 'agent', limit: '$1000000', per: '24h' },
  { name: 'model', scope: 'model', limit: '$1000000', per: 'total' },
]

/** `taximeter serve` in front of the upstream, with a ledger of its own in a file. */
export const startServe = async (path: string, upstream: string): Promise<BenchProcess> => {
  const folder = mkdtempSync(join(tmpdir(), 'taximeter-bench-'))
  const config = join(folder, 'taximeter.yaml')
  const upstreams = [{ name: 'openai', url: upstream, private: true }]
  // JSON is YAML too.
  writeFileSync(config, JSON.stringify({ zone: 'Europe/Berlin', logLevel: 'error', dailyBudgetUsd: '0', budgets, upstreams }))
  const serve = await startProcess(path, ['serve', '--port', '0', '--config', config, '--data', join(folder, 'ledger.db')], 'proxies')
  return {
    ...serve,
    async stop() {
      await serve.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
