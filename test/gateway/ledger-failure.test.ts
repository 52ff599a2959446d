import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { GatewayOptions } from '../../src/gateway/gateway.ts'
import { memoryStore } from '../../src/ledger/memory/memory-store.ts'
import { ask, chat, json, withGateways } from './asking.ts'
import { chatAnswer, question, renumbered } from './bodies.ts'
import { openGateway } from './open-gateway.ts'
import { httpUpstream, readAll } from './raw-upstream.ts'

const { behind } = withGateways()
let spoolFolder = ''
beforeEach(() => {
  spoolFolder = mkdtempSync(join(tmpdir(), 'taximeter-gateway-'))
})
afterEach(() => rmSync(spoolFolder, { recursive: true, force: true }))

const upstream = () => {
  let calls = 0
  return httpUpstream(async (request, response) => {
    await readAll(request)
    response.writeHead(200, json).end(renumbered(chatAnswer, ++calls))
  })
}

/** A ledger that can be down, and that can be up, keep a batch and fail to say so. */
const failing = () => {
  const state = { isDown: true, isForgetful: false }
  const failingAt = async <Results>(work: () => Promise<Results>): Promise<Results> => {
    if (state.isDown) throw new Error('LEDGER_FAILED: the disk is full')
    const results = await work()
    if (!state.isForgetful) return results
    state.isForgetful = false
    throw new Error('LEDGER_FAILED: connection lost')
  }
  const intake = (real: GatewayOptions['intake']): GatewayOptions['intake'] => ({
    keep: (entries) => failingAt(() => real.keep(entries)),
    admit: (events, from) => failingAt(() => real.admit(events, from)),
  })
  return { state, intake }
}

const call = async (gateway: Awaited<ReturnType<typeof openGateway>>) =>
  (await ask(gateway, chat, { body: question, headers: json })).response.statusCode

describe('while the ledger is down', () => {
  test('calls pass, their events wait on disk, and arrive once when it is back', async () => {
    const { state, intake } = failing()
    const gateway = await behind(await upstream(), { intake, spoolFolder })
    for (let index = 0; index < 5; index++) expect(await call(gateway)).toBe(200)
    await expect.poll(() => gateway.gateway.counters().events.spooled).toBe(5)
    expect(gateway.gateway.counters()).toMatchObject({ isLedgerFailing: true, spoolBytes: expect.any(Number) })
    expect(gateway.warnings).toEqual(['The ledger does not take events. They are kept on disk and sent again.'])
    state.isDown = false
    expect(await gateway.calls(5)).toHaveLength(5)
    await expect.poll(() => gateway.gateway.counters().isLedgerFailing).toBe(false)
    expect(readdirSync(spoolFolder)).toEqual([])
  })

  test('events survive the death of the process, and are not counted twice when the ledger had them after all', async () => {
    const store = memoryStore()
    const { state, intake } = failing()
    state.isDown = false
    state.isForgetful = true
    const gateway = await behind(await upstream(), { intake, spoolFolder, store })
    expect(await call(gateway)).toBe(200)
    await expect.poll(() => gateway.gateway.counters().events.spooled).toBe(1)
    state.isDown = true
    expect(await call(gateway)).toBe(200)
    await expect.poll(() => gateway.gateway.counters().events.spooled).toBe(2)
    // Nothing is closed or handed over: as after kill -9, only the disk is left.
    const next = await openGateway({ spoolFolder, store })
    expect(await next.calls(2)).toHaveLength(2)
    await expect.poll(() => next.gateway.counters().spoolBytes).toBe(0)
    expect(next.gateway.counters().events).toMatchObject({ accepted: 1, duplicate: 1 })
    await next.gateway.close()
  })

  test('with "block", the next call is refused until the ledger is back', async () => {
    const { state, intake } = failing()
    const gateway = await behind(await upstream(), { intake, spoolFolder, meterFailure: 'block' })
    expect(await call(gateway)).toBe(200)
    await expect.poll(() => gateway.gateway.counters().isLedgerFailing).toBe(true)
    expect(await call(gateway)).toBe(503)
    expect(gateway.gateway.counters().requests).toMatchObject({ ok: 1, blocked: 1 })
    state.isDown = false
    await expect.poll(() => gateway.gateway.counters().isLedgerFailing).toBe(false)
    expect(await call(gateway)).toBe(200)
    expect(await gateway.calls(2)).toHaveLength(2)
  })

  test('when the disk has no room either, calls still pass, and what is lost is counted', async () => {
    const { intake } = failing()
    const gateway = await behind(await upstream(), { intake, spoolFolder, limits: { spoolBytesMax: 100 } })
    expect(await call(gateway)).toBe(200)
    await expect.poll(() => gateway.gateway.counters().events.lost).toBe(1)
    expect(await call(gateway)).toBe(200)
  })
})

test('a fault in the budgets lets calls pass, or blocks them, as the user wants', async () => {
  const guard = {
    reserve: () => {
      throw new Error('a fault')
    },
    settle: () => undefined,
    observe: () => undefined,
  }
  const passing = await behind(await upstream(), { guard })
  expect(await call(passing)).toBe(200)
  expect(passing.gateway.counters().meterErrors).toBe(1)
  expect(passing.warnings).toEqual(['A call could not be metered: Error. This is a fault of the gateway.'])
  const blocking = await behind(await upstream(), { guard, meterFailure: 'block' })
  expect(await call(blocking)).toBe(503)
})
