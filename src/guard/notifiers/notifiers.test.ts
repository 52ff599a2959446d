import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AlertRecord } from '../../ledger/alert-store.ts'
import type { Notice } from './notifier.ts'
import { notifierTypes, parseNotifier } from './notifiers.ts'

const canary = 'canary-4f1d'
const now = Date.parse('2026-11-22T12:00:00Z')

const alert = (more: Partial<AlertRecord> = {}): AlertRecord => ({
  id: 'a'.repeat(32),
  rule: 'agent-hour',
  key: '[]',
  state: 'firing',
  severity: 'critical',
  message: 'agent “<!channel> *bot*”: cost was $3.00 in the last hour, above $2.00.',
  segment: { agent: '<!channel> *bot*', 'tag.plan': 'pro' },
  value: '3',
  threshold: '2',
  query: 'measure=cost&where=agent%3Abot',
  startedAt: now,
  firedAt: now,
  ...more,
})
const notice = (more: Partial<Notice> = {}): Notice => ({
  id: 'n'.repeat(32),
  transition: 'firing',
  alerts: [alert()],
  dashboardUrl: 'http://127.0.0.1:4141',
  ...more,
})

interface Received {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

let server: Server
let received: Received[]
let answer: { status: number; headers?: Record<string, string> } | 'hang'
let base: string
let logged: string[]
beforeEach(async () => {
  received = []
  logged = []
  answer = { status: 202 }
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, body })
      if (answer !== 'hang') response.writeHead(answer.status, answer.headers).end(`{"error":"${canary}"}`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const context = {
  now: () => now,
  log: (severity: string, fields: unknown, text: string) => void logged.push(`${severity} ${JSON.stringify(fields)} ${text}`),
}
/** What each type needs, with a secret wherever one can be. */
const fieldsFor = (type: string, more: Record<string, unknown> = {}) => {
  const address = { url: `${base}/${canary}`, private: true }
  const fields: Record<string, Record<string, unknown>> = {
    log: {},
    webhook: { ...address, secret: `${canary}-secret` },
    slack: address,
    discord: address,
    teams: address,
    pagerduty: { ...address, key: canary },
    opsgenie: { ...address, key: canary },
    alertmanager: address,
    email: {
      host: '127.0.0.1',
      port: Number(new URL(base).port),
      private: true,
      from: 'meter@example.com',
      to: 'ops@example.com',
      user: canary,
      password: canary,
    },
  }
  return { name: 'test', type, ...fields[type], ...more }
}
const make = (type: string, more?: Record<string, unknown>) => parseNotifier(fieldsFor(type, more), 'notifiers[0]', context)
const overHttp = Object.keys(notifierTypes).filter((type) => type !== 'log' && type !== 'email')

/** What a send ends with: "ok", or everything that an error would show anywhere. */
const outcomeOf = async (type: string, signal = AbortSignal.timeout(5_000), more?: Record<string, unknown>): Promise<string> => {
  const notifier = make(type, more)
  try {
    await notifier.send(notice(), signal)
    return 'ok'
  } catch (error) {
    const { message, stack, cause } = error as Error
    return `${message} ${stack} ${String(cause)} ${JSON.stringify(error)}`
  } finally {
    await notifier.close()
  }
}

describe.each(overHttp)('%s', (type) => {
  test('tells the receiver what, where and how bad', async () => {
    expect(await outcomeOf(type)).toBe('ok')
    expect(received[0]?.body).toContain('cost was $3.00 in the last hour')
    JSON.parse(received[0]?.body ?? '')
  })

  test.each([[500], [404], [429]])('a receiver that answers %i is a failure that shows no secret', async (status) => {
    answer = { status }
    const outcome = await outcomeOf(type)
    expect(outcome).toContain(`answered ${status}`)
    expect(outcome).not.toContain(canary)
  })

  test('a redirect is not followed', async () => {
    answer = { status: 307, headers: { location: `${base}/elsewhere` } }
    expect(await outcomeOf(type)).toContain('answered 307: redirects are not followed')
    expect(received.map(({ path }) => path)).not.toContain('/elsewhere')
  })

  test('a receiver that hangs is given up at the time limit', async () => {
    answer = 'hang'
    const outcome = await outcomeOf(type, AbortSignal.timeout(50))
    expect(outcome).toContain('could not be reached: no answer in time')
    expect(outcome).not.toContain(canary)
  })

  test('a private address is refused unless it is configured to be one', async () => {
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '169.254.169.254', '[::ffff:10.0.0.1]']) {
      const outcome = await outcomeOf(type, AbortSignal.timeout(1_000), {
        url: `http://${host}:${new URL(base).port}/${canary}`,
        private: false,
      })
      expect(outcome).toContain('UNSAFE_ADDRESS')
      expect(outcome).not.toContain(canary)
    }
    expect(received).toEqual([])
  })

  test('nobody there is a failure that shows no secret', async () => {
    server.close()
    server.closeAllConnections()
    const outcome = await outcomeOf(type)
    expect(outcome).toContain('ECONNREFUSED')
    expect(outcome).not.toContain(canary)
  })
})

test('a name of a caller pings nobody in a chat', async () => {
  for (const type of ['slack', 'discord', 'teams']) await outcomeOf(type)
  const [slack, discord, teams] = received.map(({ body }) => body)
  expect(slack).not.toContain('<!channel>')
  expect(JSON.parse(discord ?? '').allowed_mentions).toEqual({ parse: [] })
  expect(teams).not.toContain('*bot*')
})

test('a webhook is signed over its time and body', async () => {
  await outcomeOf('webhook')
  const { headers, body } = received[0] ?? { headers: {} as IncomingMessage['headers'], body: '' }
  const expected = createHmac('sha256', `${canary}-secret`).update(`${headers['x-taximeter-timestamp']}.${body}`).digest('hex')
  expect(headers).toMatchObject({
    'x-taximeter-signature': `sha256=${expected}`,
    'x-taximeter-id': 'n'.repeat(32),
    'x-taximeter-timestamp': String(now / 1000),
  })
  expect(body).not.toContain(canary)
})

test('the same key opens and resolves at PagerDuty and Opsgenie', async () => {
  for (const transition of ['firing', 'resolved'] as const) {
    for (const type of ['pagerduty', 'opsgenie']) await make(type).send(notice({ transition }), AbortSignal.timeout(5_000))
  }
  const [pagerOpen, opsOpen, pagerClose, opsClose] = received
  expect([JSON.parse(pagerOpen?.body ?? ''), JSON.parse(pagerClose?.body ?? '')]).toMatchObject([
    { event_action: 'trigger', dedup_key: alert().id },
    { event_action: 'resolve', dedup_key: alert().id },
  ])
  expect(JSON.parse(opsOpen?.body ?? '')).toMatchObject({ alias: alert().id, priority: 'P1' })
  expect(opsClose?.path).toContain(`/v2/alerts/${alert().id}/close?identifierType=alias`)
})

test('Alertmanager gets labels that are labels', async () => {
  await outcomeOf('alertmanager')
  expect(received[0]?.path).toBe(`/${canary}/api/v2/alerts`)
  expect(JSON.parse(received[0]?.body ?? '')[0].labels).toEqual({
    alertname: 'agent-hour',
    severity: 'critical',
    source: 'taximeter',
    agent: '<!channel> *bot*',
    tag_plan: 'pro',
  })
})

test('the log says it, and never more', async () => {
  expect(await outcomeOf('log')).toBe('ok')
  expect(logged).toHaveLength(1)
  expect(logged[0]).toContain('Firing: agent-hour: agent')
})

describe('email', () => {
  /** The part of SMTP that a mail needs; `refuse` answers the login with the password in it, as a badly written server would. */
  const smtp = async (refuse = false) => {
    const mails: string[] = []
    const tcp = createTcpServer((socket) => {
      let inData = false
      let mail = ''
      socket.on('error', () => {})
      socket.write('220 test ESMTP\r\n')
      socket.on('data', (chunk) => {
        for (const line of chunk.toString().split('\r\n')) {
          if (inData) {
            if (line === '.') {
              inData = false
              mails.push(mail)
              socket.write('250 kept\r\n')
            } else mail += `${line}\n`
          } else if (line.startsWith('EHLO')) socket.write('250-test\r\n250 AUTH PLAIN\r\n')
          else if (line.startsWith('AUTH')) socket.write(refuse ? `535 no ${canary}\r\n` : '235 yes\r\n')
          else if (line === 'DATA') {
            inData = true
            socket.write('354 go on\r\n')
          } else if (line === 'QUIT') socket.end('221 bye\r\n')
          else if (line !== '') socket.write('250 ok\r\n')
        }
      })
    })
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
    return { mails, port: (tcp.address() as AddressInfo).port, close: () => tcp.close() }
  }

  test('a mail has the heading, the text and the id', async () => {
    const receiver = await smtp()
    expect(await outcomeOf('email', undefined, { port: receiver.port })).toBe('ok')
    receiver.close()
    expect(receiver.mails[0]).toContain('Subject: taximeter: Firing: agent-hour')
    expect(receiver.mails[0]).toContain(`Message-ID: <${'n'.repeat(32)}@taximeter>`)
  })

  test('a server that hangs is given up at the time limit', async () => {
    const silent = createTcpServer((socket) => void socket.on('error', () => {}))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const outcome = await outcomeOf('email', AbortSignal.timeout(50), { port: (silent.address() as AddressInfo).port })
    silent.close()
    expect(outcome).toContain('could not be reached: no answer in time')
    expect(outcome).not.toContain(canary)
  })

  test('a refused login shows no secret', async () => {
    const receiver = await smtp(true)
    const outcome = await outcomeOf('email', undefined, { port: receiver.port })
    receiver.close()
    expect(outcome).toContain('the mail server refused: EAUTH 535')
    expect(outcome).not.toContain(canary)
  })

  test('a private address is refused unless it is configured to be one', async () => {
    expect(await outcomeOf('email', undefined, { private: false })).toContain('UNSAFE_ADDRESS')
  })
})

describe('parseNotifier', () => {
  test.each<[string, unknown, string]>([
    ['an unknown type', { name: 'x', type: 'pigeon' }, 'notifiers[0].type should be one of log, webhook, slack'],
    ['no address', { name: 'x', type: 'slack' }, 'notifiers[0].url should be a text'],
    [
      'a file as address',
      { name: 'x', type: 'slack', url: `file:///${canary}` },
      'notifiers[0].url should be an address that begins with http',
    ],
    ['no key', { name: 'x', type: 'pagerduty' }, 'notifiers[0].key should be a text'],
    ['a field that nobody knows', { name: 'x', type: 'log', colour: canary }, 'notifiers[0].colour should be one of'],
    ['nobody to write to', { name: 'x', type: 'email', host: 'h', from: 'a@b', to: [] }, 'notifiers[0].to should be'],
  ])('%s is refused with its path and without its value', (_, json, complaint) => {
    expect(() => parseNotifier(json, 'notifiers[0]', context)).toThrow(complaint)
    expect(() => parseNotifier(json, 'notifiers[0]', context)).not.toThrow(canary)
  })
})
