import { describe, expect, test } from 'vitest'
import { createRecogniser } from './recognise.ts'

const seen = (url: string, hosts?: Record<string, string>) => {
  const found = createRecogniser(hosts)(new URL(url))
  return found && [found.dialect.name, found.provider, found.isKnownHost, found.streamUsage !== undefined]
}

describe('an address', () => {
  test.each<[string, unknown]>([
    ['https://api.openai.com/v1/chat/completions', ['openai-chat', 'openai', true, true]],
    ['https://api.openai.com/v1/responses', ['openai-responses', 'openai', true, false]],
    ['https://api.anthropic.com/v1/messages', ['anthropic-messages', 'anthropic', true, false]],
    ['https://acme.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=1', ['openai-chat', 'azure', true, true]],
    ['https://api.groq.com/openai/v1/chat/completions', ['openai-chat', 'groq', true, true]],
    ['https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent', ['gemini', 'google', true, false]],
    ['http://localhost:11434/api/chat', ['ollama', 'ollama', true, false]],
    ['https://llm.example/v1/chat/completions', ['openai-chat', 'openai', false, false]],
    ['https://llm.example/v1/messages', ['anthropic-messages', 'anthropic', false, false]],
    ['http://127.0.0.1:4141/via/agent=a/deepseek/v1/chat/completions', ['openai-chat', 'deepseek', false, false]],
    ['http://127.0.0.1:4141/gemini/v1beta/models/m:generateContent', ['gemini', 'google', false, false]],
    ['https://api.openai.com/v1/models', undefined],
    ['https://example.com/', undefined],
  ])('%s', (url, expected) => {
    expect(seen(url)).toEqual(expected)
  })

  test('a host that the user names is known, port and all, and its provider decides', () => {
    const hosts = { 'LLM.internal:8000': 'openai', 'mistral.internal': 'mistral' }
    expect(seen('http://llm.internal:8000/v1/chat/completions', hosts)).toEqual(['openai-chat', 'openai', true, true])
    expect(seen('http://llm.internal/v1/chat/completions', hosts)).toEqual(['openai-chat', 'openai', false, false])
    expect(seen('http://mistral.internal/v1/chat/completions', hosts)?.slice(1)).toEqual(['mistral', true, false])
  })
})
