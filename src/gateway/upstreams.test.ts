import { describe, expect, it } from 'vitest'
import { isEvasive, routeOf } from './route.ts'
import { parseUpstreams } from './upstreams.ts'

const upstreams = parseUpstreams([
  { name: 'azure', url: 'https://mine.openai.azure.com' },
  { name: 'vllm', url: 'https://llm.example.com/base/v1', provider: 'vllm' },
  { name: 'corp', url: 'https://corp.example.com', provider: 'openai' },
])
const targetOf = (target: string): string | undefined => {
  const route = routeOf(target, upstreams)
  return route && `${route.upstream.origin}${route.path}${route.query}`
}

describe('where a request goes', () => {
  it.each([
    ['/openai/v1/chat/completions', 'https://api.openai.com/v1/chat/completions'],
    ['/openai/chat/completions', 'https://api.openai.com/v1/chat/completions'],
    ['/openai/v1/v1/chat/completions', 'https://api.openai.com/v1/chat/completions'],
    ['/openai//v1/models?limit=2', 'https://api.openai.com/v1/models?limit=2'],
    ['/openai', 'https://api.openai.com/'],
    ['/openai?x=/y', 'https://api.openai.com/?x=/y'],
    ['/anthropic/v1/messages', 'https://api.anthropic.com/v1/messages'],
    ['/anthropic/v1/v1/messages', 'https://api.anthropic.com/v1/messages'],
    ['/anthropic/messages', 'https://api.anthropic.com/v1/messages'],
    ['/anthropic/api/hello', 'https://api.anthropic.com/api/hello'],
    [
      '/gemini/v1beta/models/gemini-2.5-flash:generateContent',
      'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent',
    ],
    [
      '/gemini/models/gemini-2.5-flash:generateContent?alt=sse',
      'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent?alt=sse',
    ],
    ['/gemini/v1beta/openai/chat/completions', 'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions'],
    ['/gemini/upload/v1beta/files', 'https://generativelanguage.googleapis.com/upload/v1beta/files'],
    ['/openrouter/v1/chat/completions', 'https://openrouter.ai/api/v1/chat/completions'],
    ['/openrouter/api/v1/chat/completions', 'https://openrouter.ai/api/v1/chat/completions'],
    [
      '/azure/openai/deployments/gpt/chat/completions?api-version=1',
      'https://mine.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=1',
    ],
    ['/mistral/v1/ocr', 'https://api.mistral.ai/v1/ocr'],
    ['/groq/openai/v1/chat/completions', 'https://api.groq.com/openai/v1/chat/completions'],
    ['/groq/v1/chat/completions', 'https://api.groq.com/openai/v1/chat/completions'],
    ['/deepseek/chat/completions', 'https://api.deepseek.com/v1/chat/completions'],
    ['/deepseek/anthropic/v1/messages', 'https://api.deepseek.com/anthropic/v1/messages'],
    ['/xai/v1/responses', 'https://api.x.ai/v1/responses'],
    ['/ollama/api/chat', 'http://127.0.0.1:11434/api/chat'],
    ['/ollama/v1/chat/completions', 'http://127.0.0.1:11434/v1/chat/completions'],
    ['/vllm/v1/chat/completions', 'https://llm.example.com/base/v1/chat/completions'],
    ['/vllm/chat/completions', 'https://llm.example.com/base/v1/chat/completions'],
    ['/corp/anything', 'https://corp.example.com/anything'],
    ['/via/agent=a;run=r/openai/v1/models', 'https://api.openai.com/v1/models'],
  ])('%s → %s', (target, expected) => {
    expect(targetOf(target)).toBe(expected)
  })

  it.each([
    '/',
    '/v1/events',
    '/metrics',
    '/openaix/v1',
    '/via/agent=a',
    '/via/agent=a/v1/events',
    'http://api.openai.com/v1',
    '*',
    '',
    '/__proto__/x',
    '/constructor/x',
  ])("%j is not the gateway's", (target) => {
    expect(targetOf(target)).toBeUndefined()
  })

  it.each(['/v1/../x', '/..', '/v1/%2E%2e/x', '/v1/./x', '/v1\\x', '/v1/%5Cx', '/v1#x'])('%s could be taken for another place', (path) => {
    expect(isEvasive(path)).toBe(true)
  })

  it.each(['/v1/models/gemini-2.5-flash:generateContent', '/v1/files/a..b', '/v1/.well-known', '/v1/a%2Fb', '/'])(
    '%s could not',
    (path) => {
      expect(isEvasive(path)).toBe(false)
    },
  )
})

describe('upstreams in configuration', () => {
  it.each([
    ['no table', 'openai', 'upstreams[0]'],
    ['no name', { url: 'https://x.example.com' }, 'upstreams[0].name'],
    ["a name of the server's own", { name: 'v1', url: 'https://x.example.com', provider: 'x' }, 'upstreams[0].name'],
    ['a name with a slash', { name: 'a/b', url: 'https://x.example.com', provider: 'x' }, 'upstreams[0].name'],
    ['an unknown setting', { name: 'x', url: 'https://x.example.com', provider: 'x', keey: 'canary' }, 'upstreams[0].keey'],
    ['no address', { name: 'x', provider: 'x' }, '"x" needs a "url"'],
    ['no provider', { name: 'x', url: 'https://x.example.com' }, 'needs a "provider"'],
    ['a file as address', { name: 'x', url: 'file:///etc/passwd', provider: 'x' }, 'upstreams[0].url'],
    ['a password in the address', { name: 'x', url: 'https://u:canary@x.example.com', provider: 'x' }, 'upstreams[0].url'],
    ['a key of two lines', { name: 'x', url: 'https://x.example.com', provider: 'x', key: 'canary\nx' }, 'upstreams[0].key'],
    ['an odd policy', { name: 'openai', onDisconnect: 'maybe' }, 'upstreams[0].onDisconnect'],
    ['an odd timeout', { name: 'openai', timeouts: { idleMs: 0 } }, 'upstreams[0].timeouts'],
    ['an unknown timeout', { name: 'openai', timeouts: { idle: 5 } }, 'upstreams[0].timeouts'],
    ['a private address', { name: 'x', url: 'http://10.0.0.1', provider: 'x' }, 'UNSAFE_ADDRESS: upstreams[0].url'],
  ])('%s is refused with its place and without its value', (_name, item, place) => {
    expect(() => parseUpstreams([item])).toThrow(place)
    expect(() => parseUpstreams([item])).not.toThrow('canary')
  })

  it('the same name twice is refused', () => {
    expect(() => parseUpstreams([{ name: 'openai' }, { name: 'openai' }])).toThrow('upstreams[1].name: "openai" is there twice')
  })

  it('a known one keeps what is not said, and takes what is', () => {
    const openai = parseUpstreams([
      { name: 'openai', url: 'http://127.0.0.1:9', private: true, onDisconnect: 'drain', timeouts: { idleMs: 5 } },
    ]).get('openai')
    expect(openai).toMatchObject({
      origin: 'http://127.0.0.1:9',
      takesIncludeUsage: true,
      onDisconnect: 'drain',
      roots: ['/v1'],
      timeouts: { idleMs: 5, connectMs: 10_000 },
    })
  })

  it('an unknown server is not asked for the usage of its streams unless it is known to take that', () => {
    const [plain, told, sold] = ['plain', 'told', 'sold'].map((name) =>
      parseUpstreams([
        { name, url: 'https://x.example.com', provider: name === 'sold' ? 'openai' : 'x', ...(name === 'told' && { includeUsage: true }) },
      ]).get(name),
    )
    expect([plain?.takesIncludeUsage, told?.takesIncludeUsage, sold?.takesIncludeUsage]).toEqual([false, true, true])
  })
})
