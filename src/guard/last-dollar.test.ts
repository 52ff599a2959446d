import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, describe, expect, test } from 'vitest'
import { amountOf } from '../core/charge.ts'
import { sqliteStore } from '../ledger/sqlite/sqlite-store.ts'
import { ahead, entry, nextId, ride } from './ride.contract.ts'

const dollar = 1_000_000_000_000n
const cent = dollar / 100n

describe('two hundred calls at once against the last dollar', () => {
  test('let through what fits, and nothing more', async () => {
    const it = await ride([
      { limit: '$1', per: 'day' },
      { scope: 'agent', limit: '$1', per: '24h' },
    ])
    const decisions = await Promise.all(
      Array.from({ length: 200 }, () => it.guard.reserve(ahead({ agent: 'a', promptTokens: 0, outputMax: 5_000 }))),
    )
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(100)
  })

  test('over and over, as they come back cheaper than they might have been, never spend more', async () => {
    const it = await ride([{ limit: '$1', per: 'day' }])
    let spent = 0n
    let rounds = 0
    for (let left = true; left; rounds++) {
      left = false
      const calls = Array.from({ length: 200 }, async (_, index) => {
        const event = nextId()
        const decision = await it.guard.reserve(ahead({ event, promptTokens: 0, outputMax: 5_000 }))
        if (!decision.allowed) return
        left = true
        const made = entry({ id: event, input: 0, output: 500 * ((index % 10) + 1) })
        spent += amountOf(made.charge)
        await it.keep(made)
        if (decision.reservation !== undefined) it.guard.settle(decision.reservation)
      })
      await Promise.all(calls)
    }
    expect(rounds).toBeGreaterThan(2)
    expect(spent).toBeLessThanOrEqual(dollar)
    expect(spent).toBeGreaterThan(dollar - cent)
  })
})

describe('two hundred calls at once against the last dollar, in a process that is killed again and again', () => {
  const folders: string[] = []
  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true })
  })

  /** Runs until so many calls have left, then kills it without warning; undefined: to its end. */
  const life = (path: string, number: number, killAfter: number | undefined): Promise<readonly string[]> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'last-dollar.contract.ts'), path, `life-${number}`, `${number}`], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const left: string[] = []
      let errors = ''
      child.stderr.on('data', (chunk) => (errors += chunk))
      createInterface(child.stdout).on('line', (line) => {
        const [event, word] = line.split(' ')
        if (word === 'left' && event !== undefined && left.push(event) === killAfter) child.kill('SIGKILL')
      })
      child.on('close', (code, signal) => (code === 0 || signal === 'SIGKILL' ? resolve(left) : reject(new Error(errors))))
    })

  test('what was spent, and what may have been when it died, is a dollar at the most', { timeout: 60_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'taximeter-last-dollar-'))
    folders.push(folder)
    const path = join(folder, 'ledger.db')
    const left: string[] = []
    const perLife: number[] = []
    for (const [number, killAfter] of [3, 17, 40, undefined].entries()) {
      const gone = await life(path, number + 1, killAfter)
      left.push(...gone)
      perLife.push(gone.length)
    }
    const store = await sqliteStore({ path })
    const { entries } = await store.entries({ where: [], from: 0, to: Number.MAX_SAFE_INTEGER }, { limit: 1_000 })
    await store.close()
    const kept = new Map(entries.map(({ event, charge }) => [event.id, amountOf(charge)]))
    expect(new Set(left).size).toBe(left.length)
    expect([...kept.keys()].filter((id) => !left.includes(id))).toEqual([])
    // A call whose entry was lost with the process may have cost all that was set aside for it.
    const worst = left.reduce((sum, id) => sum + (kept.get(id) ?? cent), 0n)
    expect(worst).toBeLessThanOrEqual(dollar)
    // The kills mattered: calls were in flight when processes died, and later ones still had something to give.
    expect(left.length - kept.size).toBeGreaterThan(2)
    expect(perLife[0]).toBeGreaterThan(0)
    expect(perLife[1]).toBeGreaterThan(0)
  })
})
