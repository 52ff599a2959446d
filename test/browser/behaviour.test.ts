import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { usd } from '../../dashboard/src/format/numbers.ts'
import { keyHashOf } from '../../src/intake/keys.ts'
import type { EventJson, QueryAnswer } from '../../src/server/api.ts'
import { type BuiltDashboard, buildDashboard, launch, textOf, watchedPage } from './chromium.ts'
import { createFleetServer, type FleetServer } from './fleet-server.ts'
import { describeInBrowser } from './in-browser.ts'
import { createRandom } from './random.ts'

const random = createRandom(42)

/** Whether the point at the upper left of what has the focus is drawn by it or by what is in it. */
const isFocusSeen = `(() => {
  const { left, top } = document.activeElement.getBoundingClientRect()
  const seen = document.elementFromPoint(left + 3, top + 3)
  return document.activeElement !== document.body && (document.activeElement.contains(seen) || seen?.contains(document.activeElement))
})()`

/** A call that costs $0.0048 at list price: 1,200 × $2 + 300 × $8 per million. */
const call = (more: Partial<EventJson> = {}): EventJson => ({
  id: random.uuid7(Date.now()),
  at: Date.now(),
  kind: 'llm',
  provider: 'openai',
  model: 'gpt-4.1',
  usage: { input: 1_200, output: 300 },
  agent: 'night-watch',
  task: 'patrol',
  run: 'run-live',
  ...more,
})

describeInBrowser('the dashboard in use', () => {
  let folder: string
  let built: BuiltDashboard
  let server: FleetServer
  let browser: Browser

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'taximeter-use-'))
    built = await buildDashboard()
    server = await createFleetServer({ path: join(folder, 'fleet.db'), until: Date.now(), runsPerDay: 30, dashboard: built.folder })
    browser = await launch()
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await rm(folder, { recursive: true, force: true })
  })

  const search = (page: Page): URLSearchParams => new URL(page.url()).searchParams

  test('everything is in the address: a copy of it shows the same, and "back" takes a step back', async () => {
    const { page, open, settle } = await watchedPage(browser, server.url)
    await open('/')
    await page.getByRole('link', { name: /Last 30 days/ }).click()
    await page.waitForURL(/last=30d/)
    await page.getByLabel('Stacked by').selectOption('model')
    await page.waitForURL(/by=model/)
    await page
      .getByRole('link', { name: 'Only gpt-4.1', exact: true })
      .or(page.getByTitle('Only gpt-4.1', { exact: true }))
      .click()
    await page.waitForURL(/where=model:gpt-4.1/)
    await settle()
    const shown = await textOf(page.locator('table').filter({ hasText: 'Cost by model' }))
    const copy = await watchedPage(browser, server.url)
    await copy.open(page.url().slice(server.url.length))
    expect(await textOf(copy.page.locator('table').filter({ hasText: 'Cost by model' }))).toBe(shown)
    await page.goBack()
    await page.waitForURL((url) => !url.searchParams.has('where'))
    await page.context().close()
    await copy.page.context().close()
  })

  test('all of it by keyboard: skip link, pages, periods, help and the way to a run', async () => {
    const { page, open, settle } = await watchedPage(browser, server.url)
    await open('/')
    await page.keyboard.press('Tab')
    expect(await textOf(page.locator(':focus'))).toBe('Skip to the content')
    await page.keyboard.press('g')
    await page.keyboard.press('r')
    await page.waitForURL(/\/runs/)
    await settle()
    await page.keyboard.press('4')
    await page.waitForURL(/last=30d/)
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor({ state: 'hidden' })
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: /Go to a page/ }).fill('mod')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/models\?.*last=30d/)
    await settle()
    // What has the focus is in sight, and not under the bar at the top.
    for (let stop = 0; stop < 60; stop += 1) await page.keyboard.press('Tab')
    expect(await page.evaluate<boolean>(isFocusSeen)).toBe(true)
    // Radio buttons are one stop of the Tab key, and arrows move between them.
    await page.getByRole('radio', { name: '30 days' }).focus()
    await page.keyboard.press('ArrowLeft')
    await page.waitForURL(/last=7d/)
    await page.context().close()
  })

  test('a run’s steps are walked by key, and each says how it was priced', async () => {
    const { page, open } = await watchedPage(browser, server.url)
    const { runs } = (await (await fetch(`${server.url}/v1/runs?sort=costliest&last=30d&limit=1`)).json()) as { runs: { run: string }[] }
    await open(`/runs/${runs[0]?.run}`)
    const steps = page.getByRole('grid')
    await steps.focus()
    await page.keyboard.press('ArrowDown')
    await page.waitForURL(/call=/)
    const first = search(page).get('call')
    await page.getByText('Usage times the rates of the price book').first().waitFor()
    await page.keyboard.press('ArrowDown')
    await page.waitForURL((url) => url.searchParams.get('call') !== first)
    expect(await steps.getByRole('row', { selected: true }).count()).toBe(1)
    await page.context().close()
  })

  test('a drag across the chart zooms to it, by key to one bar, and a click on the cross leads back', async () => {
    const { page, open, settle } = await watchedPage(browser, server.url)
    await open('/?last=7d')
    const plot = page.locator('.u-over').first()
    const box = await plot.boundingBox()
    if (box === null) throw new Error('There is no chart.')
    await page.mouse.move(box.x + box.width * 0.25, box.y + 50)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 5 })
    await page.mouse.up()
    await page.waitForURL(/from=/)
    const width = (params: URLSearchParams) => Date.parse(params.get('to') ?? '') - Date.parse(params.get('from') ?? '')
    const dragged = width(search(page))
    // A quarter of seven days, whole bars of an hour.
    expect(dragged % 3_600_000).toBe(0)
    expect(Math.abs(dragged / 3_600_000 - 42)).toBeLessThanOrEqual(2)
    await settle()
    await page.getByRole('img', { name: /^Spend over time/ }).focus()
    await page.keyboard.press('End')
    await page.getByText('Arrow keys read the values').first().waitFor({ state: 'attached' })
    await page.keyboard.press('Enter')
    await page.waitForURL((url) => width(url.searchParams) < dragged)
    await page.getByRole('button', { name: 'Back to the last 7 days' }).click()
    await page.waitForURL((url) => !url.searchParams.has('from'))
    await page.context().close()
  })

  test('what comes in is shown without a reload, and the figures stay the API’s', async () => {
    const { page, open, answers } = await watchedPage(browser, server.url)
    await open('/?last=24h&where=agent:night-watch')
    await page.getByText('Live', { exact: true }).waitFor()
    await page.getByText('Nothing was spent in this period').waitFor()
    expect(await server.send([call(), call()])).toMatchObject({ counts: { accepted: 2 } })
    await page.getByLabel('Calls as they come in').getByText('gpt-4.1').first().waitFor()
    await page.getByRole('img', { name: /^Spend over time/ }).waitFor()
    const legend = page.locator('table').filter({ hasText: 'Cost by agent' })
    await legend.getByText(usd('0.0096')).waitFor()
    const latest = [...answers].findLast(([key]) => key.includes('top=8'))?.[1] as QueryAnswer
    expect(latest.totals.cost).toBe('0.009600000000')
    await page.context().close()
  })

  test('a server that stops says so and keeps what was there; when it is back, so is everything', async () => {
    const { page, open } = await watchedPage(browser, server.url)
    await open('/?last=30d')
    await page.getByText('Live', { exact: true }).waitFor()
    const meters = await textOf(page.getByRole('navigation', { name: 'Spend by period' }))
    await server.stop()
    await page.getByText('The server does not answer.').waitFor()
    expect(await textOf(page.getByRole('navigation', { name: 'Spend by period' }))).toBe(meters)
    // A view that was never loaded cannot be shown, and says why.
    await page.getByRole('link', { name: 'Sessions' }).click()
    await page.getByRole('alert').getByText('The server does not answer').first().waitFor()
    await server.start()
    await page.getByText('Live', { exact: true }).waitFor()
    await page.getByRole('region', { name: 'Sessions' }).waitFor()
    expect(await page.getByText('The server does not answer.').count()).toBe(0)
    await page.context().close()
  }, 40_000)

  test('a theme that was chosen stays, from before the first paint', async () => {
    const { page, open } = await watchedPage(browser, server.url, { theme: 'light' })
    await open('/')
    const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
    const light = await background()
    await page.getByRole('button', { name: 'Theme: as the system' }).click()
    await page.getByRole('button', { name: 'Theme: light' }).click()
    await page.getByRole('button', { name: 'Theme: dark' }).waitFor()
    const dark = await background()
    expect(dark).not.toBe(light)
    await page.reload({ waitUntil: 'commit' })
    await page.locator('#root').waitFor({ state: 'attached' })
    expect(await background()).toBe(dark)
    await page.context().close()
  })

  test('an address with nonsense in it is explained, and nothing of it runs', async () => {
    const { page, open } = await watchedPage(browser, server.url)
    await open("/explore?measure=cost';drop table entries&by=agent&last=forever&tz=Mars/Olympus&where=nonsense")
    await page.getByText('"forever" is not a period.').waitFor()
    await page.getByText('"Mars/Olympus" is not a time zone.').waitFor()
    await page.getByText('"nonsense" is not a filter.').waitFor()
    await page.getByText('This question cannot be asked').waitFor()
    await page.getByText('is not a measure').waitFor()
    await page.context().close()
  })

  test('an empty ledger shows the way in, and the first call turns up in it', async () => {
    const empty = await createFleetServer({ path: join(folder, 'empty.db'), dashboard: built.folder })
    const { page, open, complaints } = await watchedPage(browser, empty.url)
    await open('/')
    await page.getByRole('heading', { name: 'Get started' }).waitFor()
    await page.getByText('Waiting for the first call').waitFor()
    expect(await textOf(page.locator('pre').first())).toBe(empty.url)
    await page.getByRole('tab', { name: 'curl' }).click()
    expect(await textOf(page.locator('pre').nth(1))).toContain(`curl ${empty.url}/v1/events`)
    // Arrows go from one client to the next, and from the last to the first.
    await page.keyboard.press('ArrowRight')
    await page.getByRole('tab', { name: 'OpenAI', selected: true }).waitFor()
    expect(await textOf(page.locator(':focus'))).toBe('OpenAI')
    await page.getByText('Live', { exact: true }).waitFor()
    await empty.send([call()])
    await page.getByText('It is here.').waitFor()
    await page.getByText('$0.00480').waitFor()
    await page.getByRole('link', { name: 'Open the run' }).click()
    await page.waitForURL(/\/runs\/run-live/)
    expect(complaints).toEqual([])
    await page.context().close()
    await empty.close()
  })

  test('where keys are configured a browser signs in, and a session that has ended leads back there', async () => {
    const secret = 'reader-0123456789abcdef'
    const keys = [{ id: 'reader', hash: keyHashOf(secret), may: ['read'] }]
    const locked = await createFleetServer({ path: join(folder, 'locked.db'), dashboard: built.folder, keys })
    const { page } = await watchedPage(browser, locked.url)
    await page.goto(`${locked.url}/runs`)
    await page.getByLabel('This server asks for a key.').fill(secret)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('Live', { exact: true }).waitFor()
    await page.context().clearCookies()
    const door = page.getByLabel('This server asks for a key.')
    const link = page.getByRole('link', { name: 'Sessions' })
    // The page may find out by itself, from what it asks now and then: the link is gone then.
    await Promise.race([link.click().catch(() => undefined), door.waitFor()])
    await door.waitFor()
    await page.context().close()
    await locked.close()
  })
})
