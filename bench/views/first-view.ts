import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { bundledServer } from './bundled-server.ts'

export interface FirstView {
  /** Until every card of the overview has its figures. */
  readonly ms: number
  /** What was asked for meanwhile. */
  readonly asked: readonly { readonly path: string; readonly ms: number }[]
}

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

/**
 * The first view of the dashboard, in a browser that has never seen it: on a server that was just started, and on the same server once
 * more, as anybody but the first finds it.
 */
export const firstViews = async (
  ledger: string,
  dashboard: string,
  now: number,
  search: string,
): Promise<{ readonly fresh: FirstView; readonly running: FirstView }> => {
  const server = spawn(process.execPath, [await bundledServer(), ledger, dashboard, String(now)], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const origin = await new Promise<string>((resolve) => server.stdout.once('data', (data) => resolve(String(data).trim())))
    return { fresh: await viewOf(`${origin}/${search}`), running: await viewOf(`${origin}/${search}`) }
  } finally {
    server.kill('SIGKILL')
  }
}

const viewOf = async (address: string): Promise<FirstView> => {
  const browser = await chromium.launch({
    ...(executablePath !== undefined && { executablePath }),
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  })
  try {
    const page = await browser.newPage({ timezoneId: 'Europe/Berlin' })
    await page.goto('about:blank')
    const asked: { path: string; ms: number }[] = []
    page.on('requestfinished', (request) => {
      const url = new URL(request.url())
      if (url.pathname.startsWith('/v1/')) asked.push({ path: `${url.pathname}${url.search}`, ms: request.timing().responseEnd })
    })
    const start = performance.now()
    await page.goto(address, { waitUntil: 'load' })
    await page.locator('main h1').first().waitFor()
    // One card's answer can be what the next one's question waits for.
    for (const pending = page.locator('.skeleton, [aria-busy="true"], [aria-label="Loading"]'); (await pending.count()) > 0; )
      await pending.first().waitFor({ state: 'detached' })
    return { ms: performance.now() - start, asked }
  } finally {
    await browser.close()
  }
}
