import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BenchProcess, type Core, pin, processOf } from './processes.ts'

/** Three budgets bind every call, and none of them is ever spent. */
const budgets = [
  { name: 'all', scope: 'all', limit: '$1000000', per: 'day' },
  { name: 'agent', scope: 'agent', limit: '$1000000', per: '24h' },
  { name: 'model', scope: 'model', limit: '$1000000', per: 'total' },
]

/** `taximeter serve` as it is installed, in front of the upstream, with a ledger of its own in a file. It prints its port. */
export const startServe = async (path: string, upstream: string, core?: Core): Promise<BenchProcess> => {
  const folder = mkdtempSync(join(tmpdir(), 'taximeter-bench-'))
  const config = join(folder, 'taximeter.yaml')
  const upstreams = [{ name: 'openai', url: upstream, private: true }]
  // JSON is YAML too.
  writeFileSync(config, JSON.stringify({ zone: 'Europe/Berlin', logLevel: 'error', dailyBudgetUsd: '0', budgets, upstreams }))
  const args = ['serve', '--port', '0', '--config', config, '--data', join(folder, 'ledger.db')]
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [banner] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => ['It ended.'])])
  pin(child.pid, core)
  const serve = processOf(child, Number(/:(\d+)/.exec(String(banner))?.[1]))
  return {
    ...serve,
    async stop() {
      await serve.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
