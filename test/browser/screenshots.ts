import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RunsAnswer } from '../../src/server/api.ts'
import { buildDashboard, launch, watchedPage } from './chromium.ts'
import { createFleetServer } from './fleet-server.ts'

// The pictures of the README: `node test/browser/screenshots.ts` takes them anew, of two months of the sample fleet.

const images = fileURLToPath(new URL('../../docs/images', import.meta.url))
const folder = await mkdtemp(join(tmpdir(), 'taximeter-screenshots-'))
const built = await buildDashboard()
const until = Date.now()
const server = await createFleetServer({
  path: join(folder, 'fleet.db'),
  until,
  days: 61,
  runsPerDay: 300,
  hasBudgets: true,
  dashboard: built.folder,
})
const browser = await launch()
await mkdir(images, { recursive: true })

const take = async (name: string, path: string, theme: 'light' | 'dark'): Promise<void> => {
  const { page, open } = await watchedPage(browser, server.url, { theme, width: 1_440, height: 1_040 })
  await open(path)
  await page.screenshot({ path: join(images, `${name}.png`) })
  await page.context().close()
  console.info(`docs/images/${name}.png`)
}

/** A run that shows much in little space: dear, with a retry and a sub-run. */
const runToShow = async (): Promise<string> => {
  const answer = await fetch(`${server.url}/v1/runs?sort=costliest&last=30d&limit=200&where=agent:research-assistant`)
  const { runs } = (await answer.json()) as RunsAnswer
  const run = runs.find((each) => each.retries > 0 && each.calls < 28) ?? runs[0]
  if (run === undefined) throw new Error('The sample fleet has no run to show.')
  return run.run
}

try {
  await take('overview-light', '/?last=7d', 'light')
  await take('overview-dark', '/?last=7d', 'dark')
  await take('budgets', '/budgets', 'light')
  await take('run', `/runs/${await runToShow()}`, 'light')
} finally {
  await browser.close()
  await server.close()
  await rm(folder, { recursive: true, force: true })
}
