import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { EventJson } from '../../src/server/api.ts'
import { type BuiltDashboard, buildDashboard, launch, tableTexts, textOf, watchedPage } from './chromium.ts'
import { createFleetServer, type FleetServer } from './fleet-server.ts'
import { describeInBrowser } from './in-browser.ts'
import { createRandom } from './random.ts'

const random = createRandom(1_234)
const markup = '<img src=x onerror="document.title=\'owned\'">'
const rightToLeft = '\u202eneddih\u202c שלום'
const endless = 'wörd-'.repeat(40)
const stepsMany = 10_000
const usersMany = 20_000

const call = (at: number, more: Partial<EventJson>): EventJson => ({
  id: random.uuid7(at),
  at,
  kind: 'llm',
  provider: 'openai',
  model: 'gpt-4.1-mini',
  usage: { input: 200, output: 20 },
  durationMs: 40,
  ...more,
})

describeInBrowser('what a ledger may hold does not break the page', () => {
  let folder: string
  let built: BuiltDashboard
  let server: FleetServer
  let browser: Browser

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'taximeter-hostile-'))
    built = await buildDashboard()
    server = await createFleetServer({ path: join(folder, 'ledger.db'), dashboard: built.folder })
    const start = Date.now() - 3_600_000
    const long = Array.from({ length: stepsMany }, (_, index) =>
      call(start + index * 50, { run: 'long', agent: 'marathon', task: 'run', step: `step-${index + 1}` }),
    )
    const users = Array.from({ length: usersMany }, (_, index) => call(start + index * 20, { agent: 'crowd', user: `user-${index}` }))
    const evil = [markup, rightToLeft, 'javascript:alert(1)', '../../etc/passwd', '100%,a:b', endless].map((name) =>
      call(start, { agent: name, task: name, run: name, session: name, team: name, user: name, model: name, tags: { evil: name } }),
    )
    for (const events of [...chunks(long), ...chunks(users), evil]) {
      const { counts } = await server.send(events)
      expect(counts.accepted).toBe(events.length)
    }
    browser = await launch()
  }, 90_000)

  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('markup and right-to-left text in names are text', async () => {
    const { page, complaints, open } = await watchedPage(browser, server.url)
    const pages = [
      '/',
      '/agents',
      '/models',
      '/runs?sort=costliest',
      '/sessions',
      '/explore?by=user,team,tag.evil&where=-agent:crowd,marathon',
      `/runs/${encodeURIComponent(markup)}`,
    ]
    for (const path of pages) {
      await open(path)
      expect(await page.title()).not.toBe('owned')
      expect(await page.locator('main img, main script').count()).toBe(0)
    }
    await open(`/agents/${encodeURIComponent(markup)}`)
    expect(await textOf(page.locator('h1'))).toBe(markup)
    await open('/agents')
    const rows = await tableTexts(page, 'Agents')
    for (const name of [markup, 'javascript:alert(1)', '100%,a:b']) expect(rows.map((cells) => cells[0])).toContain(name)
    // Each name is isolated, so that its direction does not turn the row around.
    expect(await page.locator('bdi').filter({ hasText: 'שלום' }).count()).toBeGreaterThan(0)
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('a name of 200 characters is cut short where there is no room, and widens no page of a phone', async () => {
    const { page, complaints, open } = await watchedPage(browser, server.url, { width: 360 })
    const name = encodeURIComponent(endless)
    for (const path of [`/?where=agent:${name}`, `/runs/${name}`, `/agents/${name}`, `/sessions/${name}`, `/calls?where=agent:${name}`]) {
      await open(path)
      await page.getByText(endless).first().waitFor({ state: 'attached' })
      expect([path, await page.evaluate<number>('document.documentElement.scrollWidth')]).toEqual([path, 360])
    }
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('a name with separators in it is filtered by as it is', async () => {
    const { page, open } = await watchedPage(browser, server.url)
    await open('/agents')
    await page.getByRole('region', { name: 'Agents' }).getByRole('link', { name: '100%,a:b' }).click()
    await page.getByRole('heading', { name: '100%,a:b' }).waitFor()
    await page.getByRole('link', { name: 'All runs' }).click()
    await page.waitForURL(/where=agent/)
    await page.getByRole('region', { name: 'Runs' }).waitFor()
    expect((await tableTexts(page, 'Runs')).length).toBe(1)
    await page.context().close()
  })

  test('a run of ten thousand steps draws those in sight and reaches the last', async () => {
    const { page, complaints, open } = await watchedPage(browser, server.url)
    await open('/runs/long')
    const steps = page.getByRole('grid')
    expect(await steps.getAttribute('aria-rowcount')).toBe(String(stepsMany + 1))
    expect(await steps.getByRole('row').count()).toBeLessThan(100)
    await steps.focus()
    await page.keyboard.press('End')
    await steps.getByText(`step-${stepsMany}`, { exact: true }).waitFor()
    expect(await steps.getByRole('row').count()).toBeLessThan(100)
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('an attribute with very many values shows the largest and what the others come to', async () => {
    const { page, complaints, open } = await watchedPage(browser, server.url)
    await open('/explore?measure=cost&by=user&where=agent:crowd')
    const rows = await tableTexts(page, 'Answer')
    expect(rows).toHaveLength(101)
    expect(rows.at(-1)?.[0]).toBe('19,900 others')
    expect(await textOf(page.locator('table').filter({ hasText: 'Cost by user' }))).toContain('19,992 others')
    await open('/?by=user')
    expect(await page.locator('main *').count()).toBeLessThan(3_000)
    expect(complaints).toEqual([])
    await page.context().close()
  })
})

const chunks = (events: readonly EventJson[]): readonly (readonly EventJson[])[] =>
  Array.from({ length: Math.ceil(events.length / 1_000) }, (_, index) => events.slice(index * 1_000, (index + 1) * 1_000))
