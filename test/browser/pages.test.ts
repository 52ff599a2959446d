import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunsAnswer, SessionsAnswer } from '../../src/server/api.ts'
import { type BuiltDashboard, buildDashboard, launch, type Watched, watchedPage } from './chromium.ts'
import { createFleetServer, type FleetServer } from './fleet-server.ts'
import { describeInBrowser } from './in-browser.ts'
import { sampleAlerts, sampleRules } from './sample-alerts.ts'

describeInBrowser('every page', () => {
  let folder: string
  let built: BuiltDashboard
  let server: FleetServer
  let browser: Browser
  let watched: Watched

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'taximeter-pages-'))
    built = await buildDashboard()
    const until = Date.now()
    server = await createFleetServer({
      path: join(folder, 'fleet.db'),
      until,
      runsPerDay: 60,
      hasBudgets: true,
      alerts: sampleRules,
      dashboard: built.folder,
    })
    browser = await launch()
    watched = await watchedPage(browser, server.url)
    // Every state that an alert may be in at once: a real one takes days to pass through them.
    await watched.page.route('**/v1/alerts', (route) => route.fulfill({ json: sampleAlerts(until) }))
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await rm(folder, { recursive: true, force: true })
  })

  const idOf = async (path: string, read: (answer: never) => string | undefined): Promise<string> => {
    const answer = (await (await fetch(`${server.url}${path}`)).json()) as never
    const id = read(answer)
    if (id === undefined) throw new Error(`${path} has nothing to show.`)
    return id
  }

  const paths: readonly (readonly [string, () => string | Promise<string>])[] = [
    ['Overview', () => '/'],
    ['Overview, as a table', () => '/?last=30d&by=model&table=1'],
    ['Explore', () => '/explore?measure=cost,runs,costP95&by=team,task&where=-team:finance'],
    ['Explore over time', () => '/explore?measure=latencyP95&by=model&interval=day&last=30d'],
    ['Runs', () => '/runs?sort=costliest&where=agent:nightly-analyst'],
    [
      'Run',
      () => idOf('/v1/runs?sort=costliest&limit=1&last=30d', (answer: RunsAnswer) => answer.runs[0]?.run).then((id) => `/runs/${id}`),
    ],
    ['Calls', () => '/calls?last=30d&where=basis:estimated'],
    ['Sessions', () => '/sessions'],
    [
      'Session',
      () => idOf('/v1/sessions?limit=1', (answer: SessionsAnswer) => answer.sessions[0]?.session).then((id) => `/sessions/${id}`),
    ],
    ['Agents', () => '/agents'],
    ['Agent', () => '/agents/support-bot'],
    ['Tasks', () => '/tasks'],
    ['Models', () => '/models'],
    ['Model with a dot in its name', () => '/models/gpt-4.1?last=30d'],
    ['Tools', () => '/tools'],
    ['Releases', () => '/releases'],
    ['Budgets', () => '/budgets'],
    ['Alerts', () => '/alerts'],
    ['Self-check', () => '/check'],
    ['Prices', () => '/prices?q=gpt-4.1'],
    ['Price', () => '/prices/openai/gpt-4.1'],
    ['Get started', () => '/start'],
  ]

  test.each(paths)(
    '%s: nothing for axe to find in either theme, nothing asked for elsewhere, no overflow on a phone',
    async (_, pathOf) => {
      const { page, complaints, open, settle } = watched
      await page.emulateMedia({ colorScheme: 'light' })
      await page.setViewportSize({ width: 1_280, height: 900 })
      await open(await pathOf())
      expect(await found(page)).toEqual([])
      await page.emulateMedia({ colorScheme: 'dark' })
      expect(await found(page, ['color-contrast', 'link-in-text-block'])).toEqual([])
      await page.setViewportSize({ width: 360, height: 800 })
      await settle()
      expect(await overflowing(page)).toEqual([])
      expect(complaints.splice(0)).toEqual([])
    },
    60_000,
  )

  test('an address that names no page says so', async () => {
    await watched.page.goto(`${server.url}/nowhere`)
    await watched.page.getByText('There is no such page').waitFor()
  })

  test('all scripts together are at most 300 KB as they travel', () => {
    const total = built.scripts.reduce((sum, script) => sum + script.gzipBytes, 0)
    console.info(`dashboard: ${(total / 1_000).toFixed(1)} KB of JavaScript, gzipped, in ${built.scripts.length} files`)
    expect(total).toBeLessThanOrEqual(300_000)
  })
})

/**
 * What axe has against a page, as short as it can be said. It is not asked for frames and for checks that passed, and looks at the
 * first rows of a table, which are like the others: so it takes a tenth of the time.
 */
const found = async (page: Page, rules?: readonly string[]): Promise<readonly string[]> => {
  const axe = new AxeBuilder({ page })
    .setLegacyMode()
    .options({ resultTypes: ['violations'] })
    .exclude('tbody tr:nth-child(n + 5)')
  const { violations } = await (rules === undefined ? axe : axe.withRules([...rules])).analyze()
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.any[0]?.message ?? ''}`))
}

/** Elements that make the page wider than the window. What scrolls by itself is not one of them. */
const overflowing = (page: Page): Promise<readonly string[]> =>
  page.evaluate<string[]>(`document.documentElement.scrollWidth <= window.innerWidth ? [] : [...document.querySelectorAll('main *')]
    .filter((element) => element.getBoundingClientRect().right > window.innerWidth + 1)
    .slice(0, 3)
    .map((element) => element.outerHTML.slice(0, 120))`)
