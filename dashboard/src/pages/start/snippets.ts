export interface Snippet {
  readonly id: string
  readonly title: string
  /** How it is metered, in a sentence. */
  readonly about: string
  readonly code: (origin: string) => string
  /** Only where the server forwards calls itself. */
  readonly needsGateway?: boolean
}

const tracker = (origin: string): string =>
  `import { TokenTracker } from 'taximeter'\n\nconst tracker = new TokenTracker({ url: '${origin}', agent: 'my-agent' })`

/** One way in for each kind of client; the address is that of the server that this page came from. */
export const snippets: readonly Snippet[] = [
  {
    id: 'openai',
    title: 'OpenAI',
    about: 'Any client that takes a fetch is metered by handing it one.',
    code: (origin) =>
      `import OpenAI from 'openai'\n${tracker(origin)}\nconst openai = new OpenAI({ fetch: tracker.fetch })\n\nawait tracker.run({ task: 'refund' }, async (run) => {\n  await openai.chat.completions.create({ model: 'gpt-4.1', messages })\n  await run.tool('web-search', { costUsd: '0.005' }, () => search(query))\n})`,
  },
  {
    id: 'anthropic',
    title: 'Anthropic',
    about: 'Streams are metered as they pass; nothing is held back.',
    code: (origin) =>
      `import Anthropic from '@anthropic-ai/sdk'\n${tracker(origin)}\nconst anthropic = new Anthropic({ fetch: tracker.fetch })\n\nawait tracker.run({ task: 'review' }, () =>\n  anthropic.messages.create({ model: 'claude-sonnet-4-6', max_tokens: 1024, messages }),\n)`,
  },
  {
    id: 'gemini',
    title: 'Gemini',
    about: 'This client takes no fetch of its own, so the global one is metered.',
    code: (origin) =>
      `import { GoogleGenAI } from '@google/genai'\n${tracker(origin)}\ntracker.patchGlobalFetch()\n\nconst gemini = new GoogleGenAI({ apiKey })\nawait tracker.run({ task: 'summary' }, () =>\n  gemini.models.generateContent({ model: 'gemini-2.5-flash', contents }),\n)`,
  },
  {
    id: 'vercel',
    title: 'Vercel AI SDK',
    about: 'Every provider of the SDK takes a fetch.',
    code: (origin) =>
      `import { createOpenAI } from '@ai-sdk/openai'\nimport { generateText } from 'ai'\n${tracker(origin)}\nconst openai = createOpenAI({ fetch: tracker.fetch })\n\nawait tracker.run({ task: 'draft' }, () =>\n  generateText({ model: openai('gpt-4.1'), prompt }),\n)`,
  },
  {
    id: 'langchain',
    title: 'LangChain',
    about: 'Hand the fetch to the client that LangChain builds on.',
    code: (origin) =>
      `import { ChatOpenAI } from '@langchain/openai'\n${tracker(origin)}\nconst model = new ChatOpenAI({ model: 'gpt-4.1', configuration: { fetch: tracker.fetch } })\n\nawait tracker.run({ task: 'answer' }, () => model.invoke(question))`,
  },
  {
    id: 'ollama',
    title: 'Ollama',
    about: 'Local models are metered as well; their price may be zero or per hour of a machine.',
    code: (origin) =>
      `import { Ollama } from 'ollama'\n${tracker(origin)}\nconst ollama = new Ollama({ fetch: tracker.fetch })\n\nawait tracker.run({ task: 'classify' }, () => ollama.chat({ model: 'qwen3', messages }))`,
  },
  {
    id: 'python',
    title: 'Python and others',
    about: 'The gateway meters every language: change the base URL, nothing else.',
    needsGateway: true,
    code: (origin) =>
      `from openai import OpenAI\n\nclient = OpenAI(\n    base_url="${origin}/openai/v1",\n    default_headers={"x-taximeter-agent": "my-agent", "x-taximeter-task": "refund"},\n)`,
  },
  {
    id: 'path',
    title: 'Claude Code, base URL only',
    about: 'For programs that can set nothing but an address, who is calling goes into the path.',
    needsGateway: true,
    code: (origin) =>
      `ANTHROPIC_BASE_URL='${origin}/via/agent=claude-code;task=refactor/anthropic' claude\n\nOPENAI_BASE_URL='${origin}/via/agent=my-agent;task=review/openai/v1' my-program`,
  },
  {
    id: 'curl',
    title: 'curl',
    about: 'Any program can say what it used.',
    code: (origin) =>
      `curl ${origin}/v1/events -H 'content-type: application/json' -d '[{\n  "id": "'$(uuidgen | tr A-Z a-z)'", "at": "'$(date -u +%FT%TZ)'", "kind": "llm",\n  "provider": "openai", "model": "gpt-4.1", "usage": { "input": 1200, "output": 300 },\n  "agent": "my-agent", "task": "refund", "run": "run-1"\n}]'`,
  },
]
