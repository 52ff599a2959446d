import { writeSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { day0, modelCall, runRecord } from '../contract/samples.ts'
import { sqliteStore } from './sqlite-store.ts'

/**
 * Appends small batches as fast as it can and says which are acknowledged, until it is killed. Several appends are under way at
 * once, so that kills meet groups as well as single batches.
 */
const [path = '', seed = '0'] = process.argv.slice(2)
const store = await sqliteStore({ path, durability: 'normal' })
const underWay = 4

/** At once, so that what was said is said when the process is killed; a parent that is slow to read is waited for. */
const say = async (text: string): Promise<void> => {
  for (let rest = Buffer.from(text); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      await nextTurn()
    }
  }
}

const appendForever = async (lane: number): Promise<never> => {
  for (let round = 0; ; round++) {
    const run = `run-${seed}-${lane}-${round >> 3}`
    const at = day0 + round * 60_000
    const id = (place: number): string =>
      `00000000-0000-7000-8000-${Number(seed).toString(16).padStart(4, '0')}${(round * 16 + lane * 4 + place).toString(16).padStart(8, '0')}`
    const batch = [
      modelCall({ id: id(0), at, run, agent: 'a' }),
      modelCall({
        id: id(1),
        at,
        run,
        agent: 'b',
        callKey: `openai:${seed}-${lane}-${round >> 1}`,
        source: round % 2 === 0 ? 'import' : 'gateway',
      }),
      runRecord(run, 'start', { id: id(2), at, task: 'refund' }),
    ]
    await store.append(batch)
    await say(`${batch.map(({ event }) => event.id).join(' ')}\n`)
  }
}

await Promise.all(Array.from({ length: underWay }, (_, lane) => appendForever(lane)))
