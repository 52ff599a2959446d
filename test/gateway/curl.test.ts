import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { playChat, playOllama } from '../../src/testing.ts'
import { through } from './through.ts'

const run = promisify(execFile)
const curl = async (...args: readonly string[]): Promise<string> =>
  (await run('curl', ['--silent', '--show-error', '--max-time', '10', ...args])).stdout
const hasCurl = (() => {
  try {
    execFileSync('curl', ['--version'])
    return true
  } catch {
    return false
  }
})()

const isCi = process.env.CI === 'true'

const body = JSON.stringify({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'How much is it?' }] })
const script = { input: 120, output: 30 }

// The one client of these tests that is not a package: where everything must be tested its absence fails them.
if (!hasCurl && !isCi) console.warn('curl through the gateway: skipped, because curl is not installed (apt-get install curl).')
describe.skipIf(!hasCurl && !isCi)('curl through the gateway sees what it sees without', () => {
  const chat = (calls: number, scenario: (url: string) => Promise<unknown>) =>
    through(
      () => ({ 'POST /v1/chat/completions': playChat(script) }),
      (url) => scenario(`${url}/v1/chat/completions`),
      { name: 'openai', calls },
    )

  test('plain, compressed as the server likes, and with its body in chunks', async () => {
    const { calls } = await chat(3, async (url) => [
      await curl('-H', 'content-type: application/json', '-d', body, url),
      await curl('--compressed', '-H', 'content-type: application/json', '-d', body, url),
      await curl('-H', 'content-type: application/json', '-H', 'transfer-encoding: chunked', '-H', 'expect: 100-continue', '-d', body, url),
    ])
    expect(calls.map(({ usage, status }) => [usage, status])).toEqual(calls.map(() => [script, 'ok']))
  })

  test('stream', async () => {
    const asked = JSON.stringify({ ...JSON.parse(body), stream: true, stream_options: { include_usage: true } })
    const { calls, seen } = await chat(1, (url) => curl('--no-buffer', '-H', 'content-type: application/json', '-d', asked, url))
    expect(seen).toContain('data: [DONE]')
    expect(calls).toMatchObject([{ status: 'ok', usage: script }])
  })

  test('HTTP/1.0, and a server that is asked for its version', async () => {
    const { calls } = await through(
      () => ({ 'POST /api/chat': playOllama(script), 'GET /api/version': () => ({ body: '{"version":"0.9"}' }) }),
      async (url) => [
        await curl('--http1.0', '-d', '{"model":"llama3.2","stream":false}', `${url}/api/chat`),
        await curl(`${url}/api/version`),
      ],
      { name: 'ollama', calls: 1 },
    )
    expect(calls).toMatchObject([{ provider: 'ollama', status: 'ok', usage: { input: 120, output: 30 } }])
  })

  test('the cost is in the headers', async () => {
    let head = ''
    await chat(2, async (url) => {
      head = await curl('-D', '-', '-o', '/dev/null', '-H', 'content-type: application/json', '-d', body, url)
      await curl('-H', 'content-type: application/json', '-d', body, url)
    })
    expect(head).toMatch(/^x-taximeter-cost-usd: 0\.000180000000\r$/m)
    expect(head).toMatch(/^x-taximeter-call: [0-9a-f-]{36}\r$/m)
  })
})
