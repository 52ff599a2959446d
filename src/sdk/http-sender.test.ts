import { describe, expect, test } from 'vitest'
import { createPlayback, type Play } from '../testing.ts'
import { createHttpSender } from './http-sender.ts'
import { SendError } from './send-error.ts'

const events = [{ id: 'a', at: 0, kind: 'tool', tool: 't' } as const]
const results = [{ id: 'a', outcome: 'accepted' }]

const sendTo = async (play: Play, more: { path?: string; key?: string } = {}) => {
  const playback = createPlayback({ 'POST /v1/events': play, 'POST /base/v1/events': play })
  const url = await playback.listen()
  try {
    const sender = createHttpSender({ url: url + (more.path ?? ''), key: more.key, fetch: () => fetch })
    const sent = await sender.send(events, AbortSignal.timeout(5_000)).catch((error: unknown) => error)
    return { sent, requests: playback.requests }
  } finally {
    await playback.close()
  }
}

describe('sending events over HTTP', () => {
  test('posts a JSON array with the key and returns the results', async () => {
    const { sent, requests } = await sendTo(() => ({ body: JSON.stringify({ results, counts: {} }) }), { key: 'tx_secret', path: '/base/' })
    expect(sent).toEqual(results)
    expect(requests).toMatchObject([
      { path: '/base/v1/events', body: events, headers: { authorization: 'Bearer tx_secret', 'content-type': 'application/json' } },
    ])
  })

  test.each([
    [400, 'refused'],
    [415, 'refused'],
    [413, 'too-large'],
    [401, 'temporary'],
    [404, 'temporary'],
    [429, 'temporary'],
    [503, 'temporary'],
  ])('status %i is %s', async (status, kind) => {
    const { sent } = await sendTo(() => ({ status, body: '{}' }), { key: 'tx_secret' })
    expect(sent).toBeInstanceOf(SendError)
    expect(sent).toMatchObject({ kind })
    expect((sent as Error).message).not.toContain('tx_secret')
  })

  test.each([
    ['a page of HTML', '<html>'],
    ['no results', '{"ok":true}'],
    ['too few results', '{"results":[]}'],
  ])('an answer with %s acknowledges nothing', async (_, body) => {
    const { sent } = await sendTo(() => ({ body }))
    expect(sent).toMatchObject({ kind: 'temporary' })
  })

  test('a redirect is not followed: it could carry the key elsewhere', async () => {
    const { sent, requests } = await sendTo(() => ({ status: 307, headers: { location: '/base/v1/events' } }), { key: 'tx_secret' })
    expect(sent).toMatchObject({ kind: 'temporary' })
    expect(requests).toHaveLength(1)
  })

  test('nobody listening says where and why', async () => {
    const sender = createHttpSender({ url: 'http://127.0.0.1:9', fetch: () => fetch })
    await expect(sender.send(events, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      kind: 'temporary',
      message: expect.stringContaining('http://127.0.0.1:9/v1/events cannot be reached'),
    })
  })
})
