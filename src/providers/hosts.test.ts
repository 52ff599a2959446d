import { expect, test } from 'vitest'
import { dialectNamed, recogniseDialect } from './dialects.ts'
import { dialectOfProvider, hostInfo, providerOfHost } from './hosts.ts'

test.each([
  ['api.openai.com', 'openai'],
  ['API.OpenAI.com:443', 'openai'],
  ['eu.api.openai.com', 'openai'],
  ['my-team.openai.azure.com', 'azure'],
  ['api.anthropic.com', 'anthropic'],
  ['generativelanguage.googleapis.com', 'google'],
  ['us-central1-aiplatform.googleapis.com', 'vertex'],
  ['aiplatform.googleapis.com', 'vertex'],
  ['bedrock-runtime.eu-west-1.amazonaws.com', 'bedrock'],
  ['api.mistral.ai', 'mistral'],
  ['api.cohere.com', 'cohere'],
  ['api.deepseek.com', 'deepseek'],
  ['api.groq.com', 'groq'],
  ['api.x.ai', 'xai'],
  ['openrouter.ai', 'openrouter'],
  ['api.perplexity.ai', 'perplexity'],
  ['api.moonshot.cn', 'moonshotai'],
  ['localhost:11434', 'ollama'],
])('%s is %s', (host, provider) => {
  expect(providerOfHost(host)).toBe(provider)
})

test.each([
  'example.com',
  'api.openai.com.evil.example',
  'evilapi.openai.com.example',
  'xapi.openai.com',
  'localhost:8080',
  '',
  'openrouter.ai:8443',
])('%s is nobody that is known', (host) => {
  expect(hostInfo(host)).toBeUndefined()
})

test('usage is asked for only where that is known to be taken', () => {
  expect(hostInfo('api.openai.com')?.takesIncludeUsage).toBe(true)
  expect(hostInfo('api.mistral.ai')?.takesIncludeUsage).toBe(false)
})

const paths: readonly (readonly [string, string, string | undefined])[] = [
  ['/v1/chat/completions', 'openai', 'openai-chat'],
  ['/openai/deployments/my%20gpt/chat/completions', 'azure', 'openai-chat'],
  ['/v1/completions', 'some-server', 'openai-chat'],
  ['/v1/chat/completions', 'mistral', 'mistral'],
  ['/v1/fim/completions', 'mistral', 'mistral'],
  ['/v1/ocr', 'mistral', 'mistral'],
  ['/v1/embeddings', 'mistral', 'mistral'],
  ['/v1/audio/transcriptions', 'mistral', 'mistral'],
  ['/chat/completions', 'perplexity', 'perplexity'],
  ['/v1/responses', 'openai', 'openai-responses'],
  ['/v1/embeddings', 'openai', 'openai-embeddings'],
  ['/v1/images/edits', 'openai', 'openai-images'],
  ['/v1/audio/transcriptions', 'openai', 'openai-transcription'],
  ['/v1/realtime', 'openai', 'openai-realtime'],
  ['/v1/messages', 'anthropic', 'anthropic-messages'],
  ['/v1/projects/p/locations/us/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict', 'vertex', 'anthropic-messages'],
  ['/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke-with-response-stream', 'bedrock', 'anthropic-messages'],
  ['/model/amazon.nova-pro-v1%3A0/converse-stream', 'bedrock', 'bedrock-converse'],
  ['/model/anthropic.claude-3-5-haiku-20241022-v1:0/converse', 'bedrock', 'bedrock-converse'],
  ['/v1beta/models/gemini-2.5-flash:streamGenerateContent', 'google', 'gemini'],
  ['/v1beta/models/text-embedding-004:embedContent', 'google', 'gemini'],
  ['/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent', 'google', 'gemini-live'],
  ['/v2/chat', 'cohere', 'cohere'],
  ['/v2/rerank', 'cohere', 'cohere'],
  ['/api/chat', 'ollama', 'ollama'],
  ['/api/embeddings', 'ollama', 'ollama'],
  ['/v1/messages/count_tokens', 'anthropic', undefined],
  ['/v1/responses/input_tokens', 'openai', undefined],
  ['/v1beta/models/gemini-2.5-flash:countTokens', 'google', undefined],
  ['/v1/models', 'openai', undefined],
]

test.each(paths)('a request to %s of %s speaks %s', (path, provider, dialect) => {
  expect(recogniseDialect({ path, provider })?.dialect.name).toBe(dialect)
})

test('a dialect of its own is one of the list', () => {
  for (const provider of ['mistral', 'perplexity']) {
    const name = dialectOfProvider(provider, 'openai-chat')
    expect(dialectNamed(name ?? '')?.name).toBe(provider)
  }
  expect(dialectOfProvider('constructor', 'openai-chat')).toBeUndefined()
})

const requests: readonly (readonly [string, string, Record<string, unknown>, Record<string, unknown>])[] = [
  [
    'openai-chat',
    '/v1/chat/completions',
    { model: 'gpt-5', stream: true, max_tokens: 5, max_completion_tokens: 100, n: 2 },
    { model: 'gpt-5', isStream: true, outputMax: 200, operation: 'chat' },
  ],
  [
    'openai-chat',
    '/v1/chat/completions',
    { model: 'gpt-5', service_tier: 'priority' },
    { model: 'gpt-5', isStream: false, operation: 'chat', tier: 'priority' },
  ],
  ['openai-responses', '/v1/responses', { model: 'gpt-5', service_tier: 'auto' }, { model: 'gpt-5', isStream: false, operation: 'chat' }],
  [
    'anthropic-messages',
    '/v1/messages',
    { model: 'claude', max_tokens: 5, speed: 'fast', inference_geo: 'US', service_tier: 'auto' },
    { model: 'claude', isStream: false, outputMax: 5, operation: 'chat', speed: 'fast', region: 'us' },
  ],
  [
    'openai-chat',
    '/openai/deployments/my%20gpt/chat/completions',
    { messages: [] },
    { model: 'my gpt', isStream: false, operation: 'chat' },
  ],
  [
    'openai-chat',
    '/v1/completions',
    { model: 'm', prompt: 'x', max_tokens: 9 },
    { model: 'm', isStream: false, outputMax: 9, operation: 'completion' },
  ],
  [
    'openai-responses',
    '/v1/responses',
    { model: 'gpt-5', max_output_tokens: 7 },
    { model: 'gpt-5', isStream: false, outputMax: 7, operation: 'chat' },
  ],
  [
    'anthropic-messages',
    '/v1/messages',
    { model: 'claude', max_tokens: 7, stream: true },
    { model: 'claude', isStream: true, outputMax: 7, operation: 'chat' },
  ],
  [
    'anthropic-messages',
    '/model/anthropic.claude-v2%3A1/invoke-with-response-stream',
    { max_tokens: 7 },
    { model: 'anthropic.claude-v2:1', isStream: true, outputMax: 7, operation: 'chat' },
  ],
  [
    'anthropic-messages',
    '/v1/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict',
    {},
    { model: 'claude-sonnet-4-5@20250929', isStream: false, operation: 'chat' },
  ],
  [
    'gemini',
    '/v1beta/models/gemini-2.5-flash:streamGenerateContent',
    { generationConfig: { maxOutputTokens: 5, candidateCount: 3 } },
    { model: 'gemini-2.5-flash', isStream: true, outputMax: 15, operation: 'chat' },
  ],
  [
    'gemini',
    '/v1beta/models/text-embedding-004:embedContent',
    { model: 'models/text-embedding-004' },
    { model: 'text-embedding-004', isStream: false, operation: 'embedding' },
  ],
  [
    'bedrock-converse',
    '/model/amazon.nova-pro-v1%3A0/converse-stream',
    { inferenceConfig: { maxTokens: 5 } },
    { model: 'amazon.nova-pro-v1:0', isStream: true, outputMax: 5, operation: 'chat' },
  ],
  [
    'ollama',
    '/api/chat',
    { model: 'llama3.2', options: { num_predict: 5 } },
    { model: 'llama3.2', isStream: true, outputMax: 5, operation: 'chat' },
  ],
  ['ollama', '/api/embed', { model: 'all-minilm' }, { model: 'all-minilm', isStream: false, operation: 'embedding' }],
  ['cohere', '/v2/rerank', { model: 'rerank-v3.5' }, { model: 'rerank-v3.5', isStream: false, operation: 'rerank' }],
  ['openai-embeddings', '/v1/embeddings', { model: 'e' }, { model: 'e', isStream: false, operation: 'embedding' }],
  ['openai-images', '/v1/images/generations', { model: 'i', stream: true }, { model: 'i', isStream: true, operation: 'image' }],
  [
    'openai-images',
    '/v1/images/generations',
    { model: 'dall-e-2', size: '256x256' },
    { model: '256x256/dall-e-2', isStream: false, operation: 'image' },
  ],
  [
    'openai-images',
    '/v1/images/generations',
    { model: 'dall-e-3' },
    { model: 'standard/1024x1024/dall-e-3', isStream: false, operation: 'image' },
  ],
  [
    'openai-images',
    '/v1/images/generations',
    { model: 'dall-e-3', quality: 'hd', size: '1792x1024' },
    { model: 'hd/1792x1024/dall-e-3', isStream: false, operation: 'image' },
  ],
  ['openai-transcription', '/v1/audio/transcriptions', {}, { isStream: false, operation: 'transcription' }],
  ['mistral', '/v1/ocr', { model: 'mistral-ocr' }, { model: 'mistral-ocr', isStream: false, operation: 'ocr' }],
]

test.each(requests)('%s: a request to %s tells what is known before it', (name, path, body, report) => {
  expect(dialectNamed(name)?.ofRequest(body, path)).toEqual(report)
})

test('what is odd in a request is left out', () => {
  const odd = {
    model: 7,
    max_tokens: 'many',
    max_completion_tokens: -1,
    n: 'x',
    stream: 'yes',
    generationConfig: 5,
    options: null,
    inferenceConfig: [],
  }
  for (const [name, path] of requests) {
    const report = dialectNamed(name)?.ofRequest(odd, path)
    expect(report?.outputMax).toBeUndefined()
    expect(typeof report?.isStream).toBe('boolean')
  }
})
