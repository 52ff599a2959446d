import { expect, it } from 'vitest'
import { createSweep, createTurn } from './turn.ts'

it.each([
  ['at the end of the turn', (failed: (error: unknown) => void) => createTurn(failed)],
  ['a little later', (failed: (error: unknown) => void) => createSweep(1, failed)],
])('%s everything is done once, in order, and what fails costs the others nothing', async (_name, create) => {
  const done: unknown[] = []
  const later = create((error) => done.push(error))
  await new Promise<void>((resolve) => {
    later(() => done.push(1))
    later(() => {
      throw 'a fault'
    })
    later(() => {
      done.push(2)
      later(() => {
        done.push(3)
        resolve()
      })
    })
    expect(done).toEqual([])
  })
  expect(done).toEqual([1, 'a fault', 2, 3])
})
