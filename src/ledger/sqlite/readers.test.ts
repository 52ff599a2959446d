import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Question } from '../../core/question.ts'
import { startDirect } from './service.ts'
import { openStore } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'taximeter-readers-'))
afterAll(() => rmSync(folder, { recursive: true }))

const question: Question = { measures: ['cost'], by: [], where: [], from: 0, to: 1, zone: 'UTC' }

test('many questions at once, the first ones of a ledger, are all answered', async () => {
  const store = await openStore({ path: join(folder, 'ledger.db'), durability: 'normal' }, (options) => startDirect(options))
  const answers = await Promise.all(Array.from({ length: 8 }, () => store.ask(question)))
  expect(answers.map(({ totals }) => totals.cost)).toEqual(Array(8).fill('0.000000000000'))
  await store.close()
})
