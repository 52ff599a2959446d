import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BenchProcess, type Core, pin, processOf } from './processes.ts'

/** Installed by this bench alone, in a folder of its own outside the repository, and kept there for the next run. */
const folder = join(tmpdir(), 'taximeter-bench-portkey')

/**
 * As its own manifest would have it installed, it answers every stream with 500 ("immutable", from the Response of newer versions of
 * its HTTP library). It is measured with a version with which it works.
 */
const manifest = {
  private: true,
  dependencies: { '@portkey-ai/gateway': '1.15.2' },
  overrides: { '@hono/node-server': '1.13.8' },
}

/** The peer, as installed, in front of the same upstream. */
export const startPortkey = async (
  upstream: string,
  core?: Core,
): Promise<BenchProcess & { readonly headers: Readonly<Record<string, string>> }> => {
  const root = join(folder, 'node_modules/@portkey-ai/gateway')
  if (!existsSync(root)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
    execFileSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'ignore' })
  }
  const port = 40_000 + (process.pid % 10_000)
  const child = spawn(process.execPath, [join(root, 'build/start-server.js'), `--port=${port}`, '--headless'], {
    stdio: 'ignore',
    env: { ...process.env, TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost' },
  })
  await listening(port)
  pin(child.pid, core)
  const headers = { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstream}/v1` }
  return { ...processOf(child, port), headers }
}

const listening = async (port: number): Promise<void> => {
  for (const until = Date.now() + 20_000; ; ) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true))
      socket.once('error', () => resolve(false)).once('connect', () => socket.destroy())
    })
    if (isOpen) return
    if (Date.now() > until) throw new Error(`Nothing listens on port ${port}.`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
