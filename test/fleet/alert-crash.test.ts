import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSandbox, type Sandbox, type Serving } from '../end-to-end/sandbox.ts'
import { until } from '../prometheus/programs.ts'

// A server that is killed while a receiver has its alert and has not answered: it cannot know, and says it again with the same ids.

interface Heard {
  readonly id: string
  readonly transition: string
  readonly alerts: readonly { readonly id: string; readonly segment: Readonly<Record<string, string>> }[]
}

let sandbox: Sandbox
let receiver: Server
let heard: Heard[]
let isHanging = true
beforeAll(async () => {
  heard = []
  receiver = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    heard.push(JSON.parse(body))
    if (!isHanging) response.end()
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  sandbox = openSandbox()
  sandbox.configure(`
defaultAlerts: none
alerts: [{name: dear, kind: threshold, measure: cost, above: 0.5, by: agent, floorUsd: 0}]
notifiers: [{name: hook, type: webhook, private: true, url: "http://127.0.0.1:${(receiver.address() as AddressInfo).port}/"}]
`)
})
afterAll(async () => {
  receiver.closeAllConnections()
  receiver.close()
  await sandbox[Symbol.asyncDispose]()
})

const roundsOf = async ({ url }: Serving): Promise<number> =>
  Number(/^taximeter_alert_rounds_total (\d+)/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1])

test('an alert whose answer was awaited at kill -9 comes again with the same ids, and once it was taken never again', async () => {
  const first = await sandbox.serve()
  await fetch(`${first.url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ id: randomUUID(), at: Date.now(), kind: 'tool', tool: 'search', costUsd: '1', agent: 'bot' }]),
  })
  await until('it is told', async () => heard[0])
  await first.stop('SIGKILL')
  isHanging = false

  const second = await sandbox.serve()
  await until('it is told again', async () => heard[1])
  await until('that it was taken is known', async () =>
    /taximeter_notifier_messages_total\{notifier="hook",outcome="delivered"\} 1/.test(await (await fetch(`${second.url}/metrics`)).text())
      ? true
      : undefined,
  )
  await second.stop('SIGKILL')

  const third = await sandbox.serve()
  await until('a round is over', async () => ((await roundsOf(third)) > 0 ? true : undefined))
  await third.stop()
  expect(heard.map(({ transition, alerts }) => [transition, alerts[0]?.segment.agent])).toEqual([
    ['firing', 'bot'],
    ['firing', 'bot'],
  ])
  expect([heard[1]?.id, heard[1]?.alerts[0]?.id]).toEqual([heard[0]?.id, heard[0]?.alerts[0]?.id])
}, 60_000)
