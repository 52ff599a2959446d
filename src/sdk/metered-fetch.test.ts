import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { EventJson } from '../intake/event-json.ts'
import { createPlayback, type Play, playChat, playGemini, playMessages, playOllama, playResponses } from '../testing.ts'
import { TokenTracker, type TrackerOptions } from './token-tracker.ts'
import type { Warning } from './warning.ts'

const openai = 'https://api.openai.com/v1/chat/completions'
const chat = { model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'How much?' }] }
const post = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})
const answer = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'gpt-4.1-mini',
  choices: [],
  usage: { prompt_tokens: 5, completion_tokens: 2 },
}

const trackers: TokenTracker[] = []
afterEach(async () => {
  for (const tracker of trackers.splice(0)) await tracker.close(100)
})

/** A tracker over a fetch that answers from memory, and what the two saw. */
const setup = (
  respond: (input: Parameters<typeof fetch>[0], init?: RequestInit) => Response | Promise<Response>,
  more: TrackerOptions = {},
) => {
  const events: EventJson[] = []
  const asked: { readonly input: Parameters<typeof fetch>[0]; readonly init: RequestInit | undefined }[] = []
  const warnings: Warning[] = []
  const tracker = new TokenTracker({
    sender: {
      send: async (batch) => {
        events.push(...batch)
        return batch.map(({ id }) => ({ id, outcome: 'accepted' }))
      },
      async close() {},
    },
    fetch: async (input, init) => {
      asked.push({ input, init })
      return respond(input, init)
    },
    onWarning: (warning) => warnings.push(warning),
    ...more,
  })
  trackers.push(tracker)
  const recorded = async () => {
    await tracker.flush()
    return events
  }
  return { tracker, asked, warnings, recorded }
}

const json = (body: unknown, init?: ResponseInit) =>
  new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' }, ...init })

/** The same bytes, cut at these places. */
const cutAt = (text: string, cuts: readonly number[], type: string): Response => {
  const bytes = Buffer.from(text)
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((left, right) => left - right)
  const chunks = places.slice(1).map((place, index) => new Uint8Array(bytes.subarray(places[index], place)))
  return new Response(ReadableStream.from(chunks), { headers: { 'content-type': type } })
}

const request = { method: 'POST', path: '', query: '', headers: {}, id: 'p', at: 0 }
const played = (play: Play, path: string, body: Readonly<Record<string, unknown>>) => {
  const { chunks = [], headers } = play({ ...request, path, body })
  return { text: chunks.join(''), type: headers?.['content-type'] ?? 'application/json' }
}

describe('what the caller sees of a stream', () => {
  const script = { text: 'Grüße — 你好, "quoted", \\ and \n newlines', input: 40, output: 12 }
  const streams = [
    [
      'anthropic-messages',
      'https://api.anthropic.com/v1/messages',
      '/v1/messages',
      playMessages(script),
      { model: 'claude-sonnet-4-6', stream: true, messages: [] },
    ],
    [
      'openai-responses',
      'https://api.openai.com/v1/responses',
      '/v1/responses',
      playResponses(script),
      { model: 'gpt-4.1-mini', stream: true, input: 'a' },
    ],
    [
      'gemini',
      'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
      '/v1beta/models/gemini-2.5-flash:streamGenerateContent',
      playGemini(script),
      { contents: [] },
    ],
    ['ollama', 'http://localhost:11434/api/chat', '/api/chat', playOllama(script), { model: 'llama3.2', messages: [] }],
    ['openai-chat', openai, '/v1/chat/completions', playChat(script), { ...chat, stream: true, stream_options: { include_usage: true } }],
  ] as const

  test.each(streams)('%s: the same bytes and the same usage, however the upstream cuts them', async (_, url, path, play, body) => {
    const { text, type } = played(play, path, body)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 40 }), async (cuts) => {
        const { tracker, recorded } = setup(() => cutAt(text, cuts, type))
        expect(await (await tracker.fetch(url, post(body))).text()).toBe(text)
        expect(await recorded()).toMatchObject([{ status: 'ok', quality: 'complete', usage: { input: 40, output: 12 } }])
      }),
      { numRuns: 25 },
    )
  })

  test('openai-chat, usage not asked for: the bytes that would have come without us', async () => {
    const path = '/v1/chat/completions'
    const body = { ...chat, stream: true }
    const without = played(playChat(script), path, body)
    const withUsage = played(playChat(script), path, { ...body, stream_options: { include_usage: true } })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 40 }), async (cuts) => {
        const { tracker, recorded, asked } = setup(() => cutAt(withUsage.text, cuts, withUsage.type))
        expect(await (await tracker.fetch(openai, post(body))).text()).toBe(without.text)
        expect(JSON.parse(String(asked[0]?.init?.body))).toEqual({ ...body, stream_options: { include_usage: true } })
        expect(await recorded()).toMatchObject([{ quality: 'complete', usage: { input: 40, output: 12 } }])
      }),
      { numRuns: 25 },
    )
  })
})

describe('a request', () => {
  test.each([
    ['a text', post(chat)],
    ['bytes', { ...post(chat), body: new TextEncoder().encode(JSON.stringify(chat)) }],
    ['a buffer', { ...post(chat), body: new TextEncoder().encode(JSON.stringify(chat)).buffer }],
  ])('whose body is %s is read for its model and its prompt, and sent as it is', async (_, init) => {
    const { tracker, asked, recorded } = setup(() => json(answer))
    await (await tracker.fetch(new URL(openai), init)).json()
    expect(asked[0]?.init).toBe(init)
    expect(await recorded()).toMatchObject([
      { requestedModel: 'gpt-4.1-mini', promptHash: expect.any(String), usage: { input: 5, output: 2 } },
    ])
  })

  test('bytes that ask for a stream stay bytes when usage is asked for', async () => {
    const body = new TextEncoder().encode(JSON.stringify({ ...chat, stream: true }))
    const { tracker, asked } = setup(() => json(answer))
    await (await tracker.fetch(openai, { ...post({}), body })).text()
    const sent = asked[0]?.init?.body
    expect(sent).toBeInstanceOf(Uint8Array)
    expect(JSON.parse(new TextDecoder().decode(sent as Uint8Array))).toMatchObject({ stream_options: { include_usage: true } })
  })

  test.each([
    ['a stream', () => ({ ...post(chat), body: ReadableStream.from([Buffer.from(JSON.stringify(chat))]), duplex: 'half' as const })],
    ['a blob', () => ({ ...post(chat), body: new Blob([JSON.stringify(chat)]) })],
    ['no JSON', () => ({ ...post(chat), body: 'model=gpt' })],
  ])('whose body is %s is left alone, and its answer is metered all the same', async (_, make) => {
    const init = make()
    const { tracker, asked, recorded } = setup(() => json(answer))
    await (await tracker.fetch(openai, init)).json()
    expect(asked[0]?.init).toBe(init)
    expect(await recorded()).toMatchObject([{ model: 'gpt-4.1-mini', usage: { input: 5, output: 2 }, status: 'ok' }])
  })

  test('given as a Request is not used up', async () => {
    const { tracker, recorded } = setup(async (input) => {
      expect(await (input as Request).json()).toEqual(chat)
      return json(answer)
    })
    await (await tracker.fetch(new Request(openai, post(chat)))).json()
    expect(await recorded()).toMatchObject([{ usage: { input: 5, output: 2 } }])
  })

  test('with a picture of many megabytes is asked for its usage and known by its model, and its picture is no tokens', async () => {
    const picture = `data:image/png;base64,${'iVBORw0KGgo'.repeat(1_000_000)}`
    const body = {
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: picture } }] }],
      stream: true,
      model: 'gpt-4.1-mini',
    }
    const { tracker, asked, recorded } = setup(
      () =>
        new Response('data: {"id":"c","model":"m","choices":[{"delta":{"content":"A cat."}}]}\n\n', {
          headers: { 'content-type': 'text/event-stream' },
        }),
    )
    await (await tracker.fetch(openai, post(body))).text()
    expect(JSON.parse(String(asked[0]?.init?.body))).toEqual({ ...body, stream_options: { include_usage: true } })
    const [event] = await recorded()
    expect(event).toMatchObject({ requestedModel: 'gpt-4.1-mini', quality: 'estimated', status: 'error', error: 'truncated-stream' })
    expect(event?.usage?.input).toBeLessThan(100)
  })

  test('whose length the caller counted is not changed', async () => {
    const init = { ...post({ ...chat, stream: true }), headers: { 'Content-Length': '99' } }
    const { tracker, asked } = setup(() => json(answer))
    await (await tracker.fetch(openai, init)).text()
    expect(asked[0]?.init).toBe(init)
  })

  test.each([
    ['headers', new Headers({ 'x-stainless-retry-count': '2' })],
    ['pairs', [['X-Stainless-Retry-Count', '2']] as [string, string][]],
    ['an object', { 'X-Stainless-Retry-Count': '2' }],
  ])('says its attempt in %s', async (_, headers) => {
    const { tracker, recorded } = setup(() => json(answer))
    await (await tracker.fetch(openai, { ...post(chat), headers })).json()
    expect(await recorded()).toMatchObject([{ attempt: 2 }])
  })
})

describe('what is no model call', () => {
  test.each<[string, string, RequestInit | undefined]>([
    ['another host and path', 'https://example.com/checkout', post({ model: 'x' })],
    ['a list of models', 'https://api.openai.com/v1/models', undefined],
    ['a stored completion', `${openai}/chatcmpl-1`, undefined],
    ['a GET of the same path', openai, undefined],
    ['a data URL', 'data:application/json,{}', undefined],
    ['an address that cannot be read', 'not a url', post(chat)],
  ])('%s passes untouched, as the very same response', async (_, url, init) => {
    const original = json({})
    const { tracker, asked, recorded } = setup(() => original)
    await tracker.fetch(openai, post(chat)).then((response) => response.text())
    const before = (await recorded()).length
    expect(await tracker.fetch(url, init)).toBe(original)
    expect(asked.at(-1)).toEqual({ input: url, init })
    expect((await recorded()).length).toBe(before)
  })

  test('a path that looks like one on an unknown host counts only if the request or the answer does', async () => {
    const elsewhere = 'https://shop.example/api/chat'
    const chatRoom = setup(() => json({ message: 'hello', room: 7 }))
    expect(await (await chatRoom.tracker.fetch(elsewhere, post({ text: 'hi' }))).json()).toEqual({ message: 'hello', room: 7 })
    const failing = setup(() => json({ oops: true }, { status: 500 }))
    await (await failing.tracker.fetch(elsewhere, post({ text: 'hi' }))).text()
    const broken = setup(() => Promise.reject(new TypeError('fetch failed')))
    await expect(broken.tracker.fetch(elsewhere, post({ text: 'hi' }))).rejects.toThrow('fetch failed')
    for (const { recorded } of [chatRoom, failing, broken]) expect(await recorded()).toEqual([])

    const model = setup(() => json({ model: 'llama3.2', done: true, prompt_eval_count: 4, eval_count: 2 }))
    await (await model.tracker.fetch(elsewhere, { ...post({}), body: new Blob(['{}']) })).json()
    expect(await model.recorded()).toMatchObject([{ provider: 'ollama', usage: { input: 4, output: 2 } }])
    const asked = setup(() => json({ oops: true }, { status: 500 }))
    await (await asked.tracker.fetch(elsewhere, post({ model: 'llama3.2', messages: [] }))).text()
    expect(await asked.recorded()).toMatchObject([{ provider: 'ollama', status: 'error', error: '500' }])
  })
})

describe('odd answers', () => {
  test.each<[string, () => Response, Partial<EventJson>]>([
    ['no body', () => new Response(null, { status: 204 }), { status: 'ok', quality: 'missing' }],
    ['an empty body', () => new Response(''), { status: 'error', error: 'unreadable-answer' }],
    ['HTML', () => new Response('<html>', { headers: { 'content-type': 'text/html' } }), { status: 'error', error: 'unreadable-answer' }],
    ['a number', () => json(7), { status: 'error', error: 'unreadable-answer' }],
    ['an error that says 200', () => json({ error: { code: 'overloaded', message: 'x' } }), { status: 'error', error: 'overloaded' }],
    ['status 500', () => json({ error: {} }, { status: 500 }), { status: 'error', error: '500', usage: {}, quality: 'complete' }],
    ['a redirect that was not followed', () => new Response(null, { status: 307 }), { status: 'error', error: '307' }],
  ])('%s is seen as it is, and has a name on the event', async (_, make, expected) => {
    const { tracker, recorded } = setup(make)
    const plain = make()
    const response = await tracker.fetch(openai, post(chat))
    expect([response.status, await response.text()]).toEqual([plain.status, await plain.text()])
    expect(await recorded()).toMatchObject([expected])
  })

  test('an answer that began and broke off is billed by its provider: its usage is missing, and not nothing', async () => {
    const { tracker, recorded } = setup(() => {
      let isBegun = false
      return new Response(
        new ReadableStream({
          pull(controller) {
            if (isBegun) throw new TypeError('terminated')
            isBegun = true
            controller.enqueue(new TextEncoder().encode('{"id":"chatcmpl-1","object":"chat.comp'))
          },
        }),
      )
    })
    const response = await tracker.fetch(openai, post(chat))
    await expect(response.text()).rejects.toThrow('terminated')
    expect(await recorded()).toMatchObject([
      { status: 'error', error: 'connection-lost', quality: 'missing', usage: {}, flags: ['truncated-stream'] },
    ])
  })

  test("another model that was billed inside the answer is a call of its own, at its own model's name", async () => {
    const advised = {
      id: 'msg_1',
      type: 'message',
      model: 'claude-sonnet-4-6',
      content: [],
      usage: {
        input_tokens: 100,
        output_tokens: 20,
        iterations: [
          { type: 'message', input_tokens: 100, output_tokens: 20 },
          { type: 'advisor_message', model: 'claude-opus-4-7', input_tokens: 300, output_tokens: 50 },
        ],
      },
    }
    const { tracker, recorded } = setup(() => json(advised))
    await (await tracker.fetch('https://api.anthropic.com/v1/messages', post({ ...chat, model: 'claude-sonnet-4-6' }))).json()
    const events = await recorded()
    expect(events).toMatchObject([
      { model: 'claude-sonnet-4-6', usage: { input: 100, output: 20 }, callKey: 'anthropic:msg_1' },
      { model: 'claude-opus-4-7', usage: { input: 300, output: 50 }, callKey: 'anthropic:msg_1#1' },
    ])
    expect(events[0]?.id).not.toBe(events[1]?.id)
  })

  test('what a gateway says in a header that the call cost is kept', async () => {
    const { tracker, recorded } = setup(() =>
      json(answer, { headers: { 'content-type': 'application/json', 'x-litellm-response-cost': '0.0125' } }),
    )
    await (await tracker.fetch('https://llm.example/v1/chat/completions', post(chat))).json()
    expect(await recorded()).toMatchObject([{ reportedCostUsd: '0.012500000000' }])
  })

  test('a stream that never ends passes on; past the limit its call ends, flagged', async () => {
    const endless = () =>
      new ReadableStream({
        pull: (controller) =>
          controller.enqueue(Buffer.from('data: {"id":"c","model":"m","choices":[{"delta":{"content":"again "}}]}\n\n'.repeat(1_000))),
      })
    const { tracker, recorded } = setup(() => new Response(endless(), { headers: { 'content-type': 'text/event-stream' } }))
    const reader = (
      await tracker.fetch(openai, post({ ...chat, stream: true, stream_options: { include_usage: false } }))
    ).body?.getReader()
    for (let bytes = 0; bytes < 257 * 1024 * 1024; ) bytes += (await reader?.read())?.value?.byteLength ?? Number.POSITIVE_INFINITY
    expect((await reader?.read())?.done).toBe(false)
    expect(await recorded()).toMatchObject([{ status: 'ok', quality: 'estimated', flags: expect.arrayContaining(['stream-limit']) }])
    await reader?.cancel()
  }, 60_000)

  test('a whole answer past the limit is seen whole, and its usage is missing and flagged', async () => {
    const big = 'x'.repeat(17 * 1024 * 1024)
    const { tracker, recorded } = setup(() => json({ ...answer, big }))
    expect(((await (await tracker.fetch(openai, post(chat))).json()) as { big: string }).big).toBe(big)
    expect(await recorded()).toMatchObject([{ status: 'ok', quality: 'missing', flags: ['stream-limit'] }])
  })

  test('a response of a class that cannot be watched is given as it is, counted and told', async () => {
    const strange = { ok: true, status: 200, headers: new Headers(), body: { pipe: () => undefined } } as unknown as Response
    const { tracker, warnings } = setup(() => strange)
    expect(await tracker.fetch(openai, post(chat))).toBe(strange)
    expect(tracker.stats()).toMatchObject({ metered: 0, open: 0, unmetered: 1, failed: 0 })
    expect(warnings.map(({ code }) => code)).toEqual(['unmetered-call'])
  })

  test('what fails inside the meter reaches nobody', async () => {
    const { tracker, warnings } = setup(() => json(answer), {
      now: () => {
        throw new Error('no clock')
      },
    })
    expect(await (await tracker.fetch(openai, post(chat))).json()).toEqual(answer)
    expect(tracker.stats().failed).toBe(1)
    expect(warnings.map(({ code }) => code)).toEqual(['metering-failed'])
  })

  test('an answer that is never read ends with the tracker', async () => {
    const { tracker, recorded } = setup(() => json(answer))
    const response = await tracker.fetch(openai, post(chat))
    expect(tracker.stats().open).toBe(1)
    await tracker.close()
    expect(await recorded()).toMatchObject([{ status: 'aborted', quality: 'missing' }])
    expect(await response.json()).toEqual(answer)
  })
})

describe('the global fetch', () => {
  const withGlobal = async (work: (url: string, tracker: TokenTracker, sent: () => number) => Promise<void>) => {
    const playback = createPlayback({
      'POST /v1/chat/completions': playChat(),
      'POST /v1/events': ({ body }) => ({
        body: JSON.stringify({ results: (body as unknown as EventJson[]).map(({ id }) => ({ id, outcome: 'accepted' })) }),
      }),
    })
    const url = await playback.listen()
    const tracker = new TokenTracker({ url })
    const before = globalThis.fetch
    try {
      await work(url, tracker, () => playback.requests.length)
    } finally {
      await tracker.close()
      globalThis.fetch = before
      await playback.close()
    }
  }

  test('is metered while patched, once however often it is patched, and as before when undone', async () => {
    await withGlobal(async (url, tracker) => {
      const before = globalThis.fetch
      const undo = tracker.patchGlobalFetch()
      const undoAgain = tracker.patchGlobalFetch()
      await (await fetch(`${url}/v1/chat/completions`, post(chat))).json()
      await (await tracker.fetch(`${url}/v1/chat/completions`, post(chat))).json()
      await tracker.flush()
      // Two calls, each once; the tracker's own requests are not among them.
      expect(tracker.stats()).toMatchObject({ metered: 2, sent: 2 })
      undo()
      undoAgain()
      expect(globalThis.fetch).toBe(before)
      await (await fetch(`${url}/v1/chat/completions`, post(chat))).json()
      expect(tracker.stats().metered).toBe(2)
    })
  })

  test('that somebody wrapped after us is left to them, and ours meters no more', async () => {
    await withGlobal(async (url, tracker) => {
      const undo = tracker.patchGlobalFetch()
      const ours = globalThis.fetch
      const theirs: typeof fetch = (input, init) => ours(input, init)
      globalThis.fetch = theirs
      await (await fetch(`${url}/v1/chat/completions`, post(chat))).json()
      await (await tracker.fetch(`${url}/v1/chat/completions`, post(chat))).json()
      expect(tracker.stats().metered).toBe(2)
      undo()
      expect(globalThis.fetch).toBe(theirs)
      expect((await fetch(`${url}/v1/chat/completions`, post(chat))).ok).toBe(true)
      expect(tracker.stats()).toMatchObject({ metered: 2, open: 0 })
    })
  })
})
