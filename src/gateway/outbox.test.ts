import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ItemResult } from '../intake/event-json.ts'
import { createMemorySpool } from './memory-spool.ts'
import { type Admitting, createOutbox, type ModelEntry } from './outbox.ts'
import { createSpool, type Waiting } from './spool.ts'

const limits = { waitingEventsMax: 1_000, batchEventsMax: 100, admitMsMax: 5_000 }
const retryMs = { first: 1, most: 4 }
const waitingOf = (index: number, key?: string): Waiting => ({ event: { id: `event-${index}` }, key })
const many = (count: number): readonly Waiting[] => Array.from({ length: count }, (_, index) => waitingOf(index))
const entryOf = (index: number, key?: string): ModelEntry => ({
  event: {
    id: `event-${index}`,
    at: 0,
    source: 'gateway',
    kind: 'llm',
    provider: 'openai',
    model: 'gpt-4.1-mini',
    usage: { input: 1 },
    quality: 'complete',
    status: 'ok',
    attempt: 0,
    ...(key !== undefined && { key }),
  },
  charge: { basis: 'unpriced', reason: 'unknown-model' },
})
const entries = (count: number): readonly ModelEntry[] => Array.from({ length: count }, (_, index) => entryOf(index))

/** A ledger that keeps ids once, and that can be told to fail. */
const createLedger = () => {
  const kept: string[] = []
  const keys: (string | undefined)[] = []
  let isDown = false
  let batches = 0
  const take = (ids: readonly string[]): Promise<readonly ItemResult[]> => {
    batches += 1
    if (isDown) return Promise.reject(new Error('The disk is full.'))
    return Promise.resolve(
      ids.map((id): ItemResult => {
        if (kept.includes(id)) return { id, outcome: 'duplicate' }
        kept.push(id)
        return { id, outcome: 'accepted' }
      }),
    )
  }
  const intake: Admitting = {
    keep: (batch) => take(batch.map(({ event }) => event.id)) as ReturnType<Admitting['keep']>,
    async admit(events, from) {
      const results = await take((events as readonly { id: string }[]).map(({ id }) => id))
      keys.push(from.key)
      return results
    },
  }
  return {
    intake,
    kept,
    keys,
    batches: () => batches,
    fail: (value: boolean) => {
      isDown = value
    },
  }
}

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'taximeter-spool-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const spoolOf = (bytesMax = 1_000_000, fileBytesMax?: number) =>
  createSpool({ folder, bytesMax, ...(fileBytesMax !== undefined && { fileBytesMax }) })

describe('the way to the ledger', () => {
  it('takes what ends in one turn as one batch, and every event once', async () => {
    const ledger = createLedger()
    const outbox = createOutbox({ intake: ledger.intake, spool: spoolOf(), limits })
    for (const entry of entries(100)) outbox.add(entry)
    await outbox.close()
    expect(ledger.kept).toHaveLength(100)
    expect(ledger.batches()).toBe(1)
    expect(outbox.counters()).toMatchObject({ accepted: 100, spooled: 0, lost: 0 })
  })

  it('tells the ledger with which key each call came that waited on disk', async () => {
    const ledger = createLedger()
    const outbox = createOutbox({ intake: ledger.intake, spool: spoolOf(), limits, retryMs })
    ledger.fail(true)
    outbox.add(entryOf(1, 'alice'))
    outbox.add(entryOf(2))
    outbox.add(entryOf(3, 'alice'))
    await vi.waitFor(() => expect(outbox.counters().spooled).toBe(3))
    ledger.fail(false)
    await vi.waitFor(() => expect(ledger.keys).toEqual(['alice', undefined]))
    await outbox.close()
  })

  it('keeps events on disk while the ledger fails, and hands them on once when it recovers', async () => {
    const ledger = createLedger()
    const outbox = createOutbox({ intake: ledger.intake, spool: spoolOf(), limits, retryMs })
    ledger.fail(true)
    for (const entry of entries(250)) outbox.add(entry)
    await vi.waitFor(() => expect(outbox.counters().spooled).toBe(250))
    expect(outbox.isFailing).toBe(true)
    ledger.fail(false)
    await vi.waitFor(() => expect(outbox.isFailing).toBe(false))
    expect(new Set(ledger.kept).size).toBe(250)
    expect(ledger.kept).toHaveLength(250)
    expect(readdirSync(folder)).toEqual([])
    await outbox.close()
  })

  it('a ledger that never answers counts as failing', async () => {
    const outbox = createOutbox({
      intake: { ...createLedger().intake, keep: () => new Promise(() => {}) },
      spool: spoolOf(),
      limits: { ...limits, admitMsMax: 1 },
      retryMs,
    })
    outbox.add(entryOf(1))
    await vi.waitFor(() => expect(outbox.counters().spooled).toBe(1))
    await outbox.close()
  })

  it('past the limit of its memory events go to the disk at once', async () => {
    const outbox = createOutbox({
      intake: { ...createLedger().intake, keep: () => new Promise(() => {}) },
      spool: spoolOf(),
      limits: { ...limits, waitingEventsMax: 10 },
      retryMs,
    })
    for (const entry of entries(10)) outbox.add(entry)
    expect(outbox.counters().spooled).toBe(0)
    outbox.add(entryOf(11))
    await vi.waitFor(() => expect(outbox.counters().spooled).toBe(1))
  })

  it('counts what neither ledger nor disk has room for, and says so once', async () => {
    const ledger = createLedger()
    ledger.fail(true)
    const warnings: string[] = []
    const outbox = createOutbox({ intake: ledger.intake, spool: spoolOf(10), limits, retryMs, warn: (sentence) => warnings.push(sentence) })
    for (const entry of entries(3)) outbox.add(entry)
    await vi.waitFor(() => expect(outbox.counters().lost).toBe(3))
    expect(warnings.filter((sentence) => sentence.startsWith('The spool has no room'))).toHaveLength(1)
    await outbox.close()
  })

  it('without a folder events wait in memory, up to the limit', async () => {
    const ledger = createLedger()
    ledger.fail(true)
    const outbox = createOutbox({ intake: ledger.intake, spool: createMemorySpool(200), limits, retryMs })
    for (const entry of entries(250)) outbox.add(entry)
    await vi.waitFor(() => expect(outbox.counters()).toMatchObject({ spooled: 200, lost: 50 }))
    ledger.fail(false)
    await vi.waitFor(() => expect(ledger.kept).toHaveLength(200))
    await outbox.close()
  })
})

describe('the spool', () => {
  const takeInto = (taken: string[]) => (batch: readonly Waiting[]) => {
    taken.push(...batch.map(({ event }) => event.id))
    return Promise.resolve()
  }

  it('survives a restart', async () => {
    const first = spoolOf()
    expect(await first.keep(many(3))).toBe(true)
    await first.close()
    const taken: string[] = []
    const second = spoolOf()
    expect(second.isEmpty).toBe(false)
    await second.keep([waitingOf(3)])
    await second.replay(takeInto(taken))
    expect(taken).toEqual(['event-0', 'event-1', 'event-2', 'event-3'])
    expect(second.isEmpty).toBe(true)
    expect(second.bytes).toBe(0)
  })

  it('loses only the line that a crash tore', async () => {
    const first = spoolOf()
    await first.keep(many(2))
    const [name = ''] = readdirSync(folder)
    appendFileSync(join(folder, name), '{"event":{"id":"torn')
    const taken: string[] = []
    await spoolOf().replay(takeInto(taken))
    expect(taken).toEqual(['event-0', 'event-1'])
  })

  it('keeps everything of a file whose replay was broken off, and gives it again', async () => {
    const spool = createSpool({ folder, bytesMax: 1_000_000, fileBytesMax: 60, batchEventsMax: 1 })
    for (const waiting of many(6)) await spool.keep([waiting])
    expect(readdirSync(folder).length).toBeGreaterThan(1)
    const taken: string[] = []
    let calls = 0
    const failing = (batch: readonly Waiting[]) => (++calls === 4 ? Promise.reject(new Error('down')) : takeInto(taken)(batch))
    await expect(spool.replay(failing)).rejects.toThrow('down')
    await spool.replay(takeInto(taken))
    expect([...new Set(taken)].sort()).toEqual(many(6).map(({ event }) => event.id))
  })

  it('loses nothing that comes while it is being emptied', async () => {
    const spool = spoolOf()
    await spool.keep(many(5))
    const taken: string[] = []
    let later = 5
    const kept: Promise<boolean>[] = []
    await spool.replay(async (batch) => {
      if (later < 20) kept.push(spool.keep([waitingOf(later++)]))
      await takeInto(taken)(batch)
    })
    await Promise.all(kept)
    await spool.replay(takeInto(taken))
    expect(new Set(taken).size).toBe(later)
  })

  it('has room up to its limit and none past it', async () => {
    const line = Buffer.byteLength(`${JSON.stringify(waitingOf(0))}\n`)
    const spool = spoolOf(3 * line)
    for (const waiting of many(3)) expect(await spool.keep([waiting])).toBe(true)
    expect(await spool.keep([waitingOf(3)])).toBe(false)
    expect(readFileSync(join(folder, readdirSync(folder)[0] ?? ''), 'utf8').split('\n')).toHaveLength(4)
  })

  it('a folder that cannot be used is refused with its name', () => {
    appendFileSync(join(folder, 'file'), '')
    expect(() => createSpool({ folder: join(folder, 'file', 'deeper'), bytesMax: 1 })).toThrow(
      /^BAD_CONFIG: The spool folder .*deeper cannot be used/,
    )
  })
})
