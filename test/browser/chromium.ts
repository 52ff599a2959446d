import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { type Browser, chromium, type Locator, type Page } from 'playwright-core'

const run = promisify(execFile)

export const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

export const launch = (): Promise<Browser> =>
  chromium.launch({
    ...(executablePath !== undefined && { executablePath }),
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })

export interface BuiltDashboard {
  readonly folder: string
  /** Name and size as it travels, of every script. */
  readonly scripts: readonly { readonly name: string; readonly gzipBytes: number }[]
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const cache = join(root, 'node_modules/.cache/taximeter-dashboard')

/** What is in the working tree, built: once for all the tests that look at it, and anew when a file of it is another. */
export const buildDashboard = async (): Promise<BuiltDashboard> => {
  const folder = join(cache, await hashOfSources())
  if (!existsSync(folder)) await build(folder)
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.js'))
  const scripts = await Promise.all(
    names.map(async (name) => ({ name, gzipBytes: gzipSync(await readFile(join(folder, name)), { level: 9 }).length })),
  )
  return { folder, scripts }
}

const hashOfSources = async (): Promise<string> => {
  const hash = createHash('sha256').update(await readFile(join(root, 'package-lock.json')))
  const sources = await Promise.all(
    ['src', 'public'].map((name) => readdir(join(root, 'dashboard', name), { recursive: true, withFileTypes: true })),
  )
  const files = sources.flat().filter((entry) => entry.isFile())
  const paths = ['index.html', 'vite.config.ts', 'package.json'].map((name) => join(root, 'dashboard', name))
  for (const path of [...paths, ...files.map((entry) => join(entry.parentPath, entry.name))].toSorted())
    hash.update(path).update(await readFile(path))
  return hash.digest('hex').slice(0, 16)
}

/** Into a folder of its own first, so that another test that builds at the same time never sees half of it. */
const build = async (folder: string): Promise<void> => {
  await mkdir(cache, { recursive: true })
  const earlier = (await readdir(cache)).filter((name) => !name.startsWith('half-'))
  await Promise.all(earlier.map((name) => rm(join(cache, name), { recursive: true, force: true })))
  const half = await mkdtemp(join(cache, 'half-'))
  // In a process of its own: a build takes its mode from the environment, and this one's is that of tests.
  await run(
    process.execPath,
    [join(root, 'node_modules/vite/bin/vite.js'), 'build', '--outDir', half, '--emptyOutDir', '--logLevel', 'error'],
    { cwd: join(root, 'dashboard'), env: { ...process.env, NODE_ENV: 'production' } },
  )
  await rename(half, folder).catch(() => rm(half, { recursive: true, force: true }))
}

export interface Watched {
  readonly page: Page
  /** What went wrong in the page: errors, refused policies, requests to elsewhere. Empty when all is well. */
  readonly complaints: string[]
  /** The answers of the API that the page was given, by path and query; the latest of each. */
  readonly answers: Map<string, unknown>
  /** Opens a view and waits until everything in it is there. */
  open(path: string): Promise<void>
  /** Everything that was asked for has come. */
  settle(): Promise<void>
  /** The latest answer to a path whose parameters hold all of these. */
  answer<T>(path: string, params?: Readonly<Record<string, string>>): T
}

export interface WatchOptions {
  readonly theme?: 'light' | 'dark'
  readonly width?: number
  readonly height?: number
}

/** A page of its own whose every misstep is noted. */
export const watchedPage = async (browser: Browser, origin: string, options: WatchOptions = {}): Promise<Watched> => {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1_280, height: options.height ?? 900 },
    colorScheme: options.theme ?? 'light',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  const complaints: string[] = []
  const answers = new Map<string, unknown>()
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('blob:')) complaints.push(`asked for ${request.url()}`)
  })
  const reading = new Set<Promise<void>>()
  page.on('response', (response) => {
    const url = new URL(response.url())
    if (!url.pathname.startsWith('/v1/') || url.pathname === '/v1/stream' || !response.ok()) return
    const read = response
      .json()
      .then((answer: unknown) => void answers.set(`${url.pathname}${url.search}`, answer))
      // A question that the page has given up has no answer to read.
      .catch(() => undefined)
      .finally(() => reading.delete(read))
    reading.add(read)
  })
  const settle = async (): Promise<void> => {
    await page.locator('main h1').first().waitFor()
    // One card's answer can be what the next one's question waits for.
    for (const pending = page.locator(isPending); (await pending.count()) > 0; ) await pending.first().waitFor({ state: 'detached' })
    await Promise.all(reading)
  }
  return {
    page,
    complaints,
    answers,
    settle,
    async open(path) {
      await page.goto(`${origin}${path}`, { waitUntil: 'load' })
      await settle()
    },
    answer<T>(path: string, params: Readonly<Record<string, string>> = {}): T {
      const found = [...answers].findLast(([key]) => {
        const url = new URL(key, origin)
        return url.pathname === path && Object.entries(params).every(([name, value]) => url.searchParams.get(name) === value)
      })
      if (found === undefined)
        throw new Error(`The page has not asked for ${path} ${JSON.stringify(params)}: ${[...answers.keys()].join('\n')}`)
      return found[1] as T
    },
  }
}

const isPending = '.skeleton, [aria-busy="true"], [aria-label="Loading"]'

/** The texts of a table's rows, cell by cell. */
export const tableTexts = (page: Page, label: string): Promise<string[][]> =>
  page
    .getByRole('region', { name: label, exact: true })
    .locator('tbody tr')
    // biome-ignore lint/performance/useDomNodeTextContent: what is compared is what a person sees, and hidden text is not.
    .evaluateAll((rows) => rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.innerText.replace(/\s+/g, ' ').trim())))

/** What a person reads in an element. */
export const textOf = async (element: Locator): Promise<string> => flat((await element.allInnerTexts()).join(' '))

/** One line, and the cents of a meter beside its dollars. */
export const flat = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/ \.(?=\d)/g, '.')
    .trim()
