import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Doubtful, doubtOf } from '../../dashboard/src/format/doubt.ts'
import { compact, count, decimalsFor, duration, exactUsd, percent, signedUsd, usd, usdWith } from '../../dashboard/src/format/numbers.ts'
import { byCause, largest, sumOf } from '../../dashboard/src/pages/overview/causes.ts'
import { type Figure, figureText, measureInfo } from '../../dashboard/src/state/measures.ts'
import type {
  AlertRulesAnswer,
  AlertsAnswer,
  AnswerRow,
  BudgetsAnswer,
  EntriesAnswer,
  ForecastAnswer,
  PriceDetailJson,
  PricesAnswer,
  QueryAnswer,
  ReadingsAnswer,
  RunDetailJson,
  RunsAnswer,
  SelfCheckAnswer,
  SessionDetailJson,
  SessionsAnswer,
} from '../../src/server/api.ts'
import { type BuiltDashboard, buildDashboard, flat, launch, tableTexts, textOf, type Watched, watchedPage } from './chromium.ts'
import { createFleetServer, type FleetServer } from './fleet-server.ts'
import { describeInBrowser } from './in-browser.ts'
import { sampleRules } from './sample-alerts.ts'

const day = 86_400_000
/** "≥" and "≈" before an amount, and the words that a screen reader has for them. */
const sureness = /^[≥≈] (?:at least|about) /

/** The texts as they stand on a page: what a person reads is what the API said, rounded once. */
describeInBrowser('each figure on screen is the API’s', () => {
  let folder: string
  let built: BuiltDashboard
  let server: FleetServer
  let browser: Browser
  let watched: Watched
  let period: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'taximeter-figures-'))
    built = await buildDashboard()
    const until = Date.now()
    period = `from=${new Date(until - 7 * day).toISOString()}&to=${new Date(until).toISOString()}`
    server = await createFleetServer({
      path: join(folder, 'fleet.db'),
      until,
      runsPerDay: 80,
      hasBudgets: true,
      alerts: sampleRules,
      dashboard: built.folder,
    })
    browser = await launch()
    watched = await watchedPage(browser, server.url, { width: 1_920 })
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await rm(folder, { recursive: true, force: true })
  })

  const onPage = async (path: string, check: (watched: Watched) => Promise<void>): Promise<void> => {
    watched.answers.clear()
    await watched.open(path)
    await check(watched)
  }

  const api = async <T>(path: string): Promise<T> => (await (await fetch(`${server.url}${path}`)).json()) as T

  test('Overview: the four meters, and what each is compared with', () =>
    onPage('/', async ({ page, answers }) => {
      const tiles = await page.getByRole('navigation', { name: 'Spend by period' }).getByRole('link').allInnerTexts()
      const meters = [...answers.entries()].filter(([key]) => isMeter(key)).map(([, answer]) => answer as QueryAnswer)
      expect([tiles.length, meters.length]).toEqual([4, 4])
      // Two of them can have the same cost: an hour before midnight, when nothing came in since, today's is that of 24 hours.
      for (const { totals, previous } of meters) {
        const [now, before] = [usd(totals.cost as string), usd(previous?.totals.cost as string)]
        const tile = tiles.map(flat).find((text) => text.includes(now) && text.includes(before))
        expect(tile, `a tile with ${now} and ${before} among ${tiles.map(flat).join(' | ')}`).toBeDefined()
      }
    }))

  test('Overview: every layer of the chart, and the layers are the whole', () =>
    onPage(`/?${period}&by=model&interval=day`, async ({ page, answer }) => {
      const totals = answer<QueryAnswer>('/v1/query', { measure: 'cost', by: 'model', top: '8', compare: 'previous' })
      const cost = measureInfo('cost')
      const legend = await page.locator('table').filter({ hasText: 'Cost by model' }).locator('tbody tr').allInnerTexts()
      for (const [index, row] of totals.rows.entries()) expect(flat(legend[index] ?? '')).toContain(` ${marked(row, row.cost)} `)
      await page.getByRole('button', { name: 'Show as a table' }).click()
      const rows = await tableTexts(page, 'Cost by Model over time')
      const whole = await api<QueryAnswer>(`/v1/query?measure=cost&interval=day&${period}&tz=Europe/Berlin`)
      const shown = rows.map((cells) => cells[1]).filter((text) => text !== figureText(cost, '0'))
      const spent = whole.rows.filter((row) => row.cost !== '0.000000000000')
      expect(shown).toEqual(spent.toReversed().map((row) => marked(row, row.cost)))
      // A layer is its value's in every bucket, also where others cost more than it.
      const parts = await api<QueryAnswer>(`/v1/query?measure=cost&by=model&interval=day&${period}&tz=Europe/Berlin`)
      for (const [index, { model }] of totals.rows.filter(({ folded }) => folded === undefined).entries()) {
        const layer = rows.map((cells) => cells[2 + index]).filter((text) => text !== figureText(cost, '0'))
        const known = parts.rows.filter((row) => row.model === model && row.cost !== '0.000000000000')
        expect(layer, String(model)).toEqual(known.toReversed().map((row) => marked(row, row.cost)))
      }
    }))

  test('Overview: key figures, segments and the costliest runs', () =>
    onPage(`/?${period}`, async ({ page, answer }) => {
      const names = ['runs', 'costPerRun', 'costP95', 'burnRatePerHour', 'calls', 'tokens', 'retries', 'errors', 'cacheHitRate', 'toolCost']
      const figures = answer<QueryAnswer>('/v1/query', { measure: [...names, 'cost'].join(',') })
      for (const name of names) {
        const shown = await textOf(
          page
            .locator('dl > div')
            .filter({ hasText: measureInfo(name).title })
            .first()
            .locator('dd a'),
        )
        expect(`${name} ${flat(shown).replace(sureness, '')}`).toBe(`${name} ${figureText(measureInfo(name), figures.totals[name])}`)
      }
      const { segments } = answer<ReadingsAnswer>('/v1/readings')
      const costs = segments.map((segment) => segment.costUsd)
      const rows = await tableTexts(page, 'Segments')
      expect(rows.map((cells) => cells[5]?.replace(sureness, '')).toSorted()).toEqual(
        costs.map((cost) => usdWith(cost, decimalsFor(costs))).toSorted(),
      )
      expect(rows.map((cells) => cells[4]).toSorted()).toEqual(segments.map((segment) => count(segment.runs)).toSorted())
      const { runs } = answer<RunsAnswer>('/v1/runs', { sort: 'costliest' })
      for (const run of runs.slice(0, 6))
        await page
          .getByRole('link')
          .filter({ hasText: usd(run.costUsd) })
          .first()
          .waitFor()
    }))

  test('Explore: rows, totals and the file that it gives', () =>
    onPage(`/explore?${period}&measure=cost,runs,costP95,cacheHitRate&by=team,agent`, async ({ page, answer }) => {
      const measures = ['cost', 'runs', 'costP95', 'cacheHitRate']
      const asked = answer<QueryAnswer>('/v1/query', { measure: measures.join(','), by: 'team,agent' })
      const rows = await tableTexts(page, 'Answer')
      const texts = (row: AnswerRow) =>
        measures.map((name) => (measureInfo(name).form === 'usd' ? marked(row, row[name]) : figureText(measureInfo(name), row[name])))
      // The change of the first measure stands after it.
      expect(rows.map((cells) => [cells[0], cells[1], cells[2], cells[4], cells[5], cells[6]])).toEqual(
        asked.rows.map((row) => [row.team, row.agent, ...texts(row)]),
      )
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'JSON' }).click()])
      const file = JSON.parse(await fileText(download)) as QueryAnswer
      expect(file).toEqual(asked)
      const [csv] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'CSV' }).click()])
      const lines = (await fileText(csv)).trim().split('\r\n')
      expect(lines).toHaveLength(asked.rows.length + 1)
      expect(lines[1]?.split(',')[2]).toBe(asked.rows[0]?.cost)
    }))

  test('Runs and one run: figures, steps and the price lines of a call', async () => {
    const { runs } = await api<RunsAnswer>(`/v1/runs?sort=costliest&limit=50&${period}`)
    const costs = runs.map((run) => run.costUsd)
    await onPage(`/runs?sort=costliest&${period}`, async ({ page }) => {
      const rows = await tableTexts(page, 'Runs')
      expect(rows.map((cells) => [cells[1]?.replace(sureness, ''), cells[4], cells[5]])).toEqual(
        runs.map((run) => [usdWith(run.costUsd, decimalsFor(costs)), duration(run.durationMs), count(run.calls)]),
      )
    })
    const run = runs.find(({ unpricedCalls }) => unpricedCalls === 0)
    const detail = await api<RunDetailJson>(`/v1/runs/${run?.run}`)
    const call = detail.calls.find((each) => each.kind === 'llm' && each.charge.basis === 'computed' && each.charge.lines.length > 1)
    if (call?.charge.basis !== 'computed') throw new Error('The costliest run has no priced call.')
    await onPage(`/runs/${run?.run}?call=${call.id}`, async ({ page }) => {
      const head = await textOf(page.getByRole('region', { name: 'Figures of the run' }))
      for (const text of [
        usd(run?.costUsd),
        usd(run?.llmCostUsd),
        usd(run?.toolCostUsd),
        duration(run?.durationMs),
        compact(run?.promptTokens),
      ]) {
        expect(head).toContain(text)
      }
      const steps = await page.getByRole('grid').getByRole('row').count()
      expect(steps).toBeGreaterThan(2)
      const lines = await page.locator('table').filter({ hasText: 'How the call was priced' }).locator('tbody tr').allInnerTexts()
      const charge = call.charge
      if (charge.basis === 'unpriced') throw new Error('unreachable')
      expect(lines.map((text) => flat(text).split(' ').at(-1))).toEqual(charge.lines.map((line) => exactUsd(line.totalUsd)))
      expect(await textOf(page.locator('tfoot'))).toContain(exactUsd(charge.totalUsd))
    })
  })

  test.each([
    ['agents', 'Agents', ['cost', 'runs', 'costPerRun', 'costP95'], 'agent', ''],
    ['tasks', 'Tasks', ['cost', 'runs', 'costPerRun', 'costP50'], 'task', ''],
    ['models', 'Models', ['llmCost', 'llmCalls', 'promptTokens', 'completionTokens'], 'model,provider', 'kind:llm'],
    ['tools', 'Tools', ['toolCost', 'toolCalls', 'runs', 'toolCostPerRun'], 'tool', 'kind:tool'],
  ] as const)('/%s: every row', (path, label, measures, by, where) =>
    onPage(`/${path}?${period}`, async ({ page }) => {
      const asked = await api<QueryAnswer>(
        `/v1/query?measure=${measures.join(',')}&by=${by}&${period}&tz=Europe/Berlin${where === '' ? '' : `&where=${where}`}`,
      )
      const rows = await tableTexts(page, label)
      expect(rows).toHaveLength(asked.rows.length)
      const extra = by.includes(',') ? 1 : 0
      for (const row of asked.rows) {
        const name = String(row[by.split(',')[0] ?? ''])
        const cells = rows.find((each) => each[0] === name)
        const shown = [cells?.[1 + extra], cells?.[3 + extra], cells?.[4 + extra], cells?.[5 + extra]]
        const expected = measures.map((measure) => {
          const info = measureInfo(measure)
          if (info.form !== 'usd') return figureText(info, row[measure])
          return marked(row, row[measure], decimalsFor(asked.rows.map((each) => each[measure] as string | null)))
        })
        expect([name, ...shown]).toEqual([name, ...expected])
      }
    }),
  )

  test('Sessions and budgets', async () => {
    const { sessions } = await api<SessionsAnswer>(`/v1/sessions?limit=50&${period}`)
    await onPage(`/sessions?${period}`, async ({ page }) => {
      const costs = sessions.map((session) => session.costUsd)
      const rows = await tableTexts(page, 'Sessions')
      expect(rows.slice(0, 10).map((cells) => [cells[0], cells[1]])).toEqual(
        sessions.slice(0, 10).map((session) => [session.session, marked(session, session.costUsd, decimalsFor(costs))]),
      )
    })
    const one = await api<SessionDetailJson>(`/v1/sessions/${sessions[0]?.session}?${period}`)
    await onPage(`/sessions/${sessions[0]?.session}?${period}`, async ({ page }) => {
      const figures = await textOf(page.locator('dl').first())
      expect(figures).toContain(usd(one.session.costUsd))
      expect(figures).toContain(`Calls ${count(one.session.calls)}`)
      expect((await tableTexts(page, 'Runs of the session')).map((cells) => cells[5])).toEqual(one.runs.map((run) => count(run.calls)))
    })
    const { budgets } = await api<BudgetsAnswer>('/v1/budgets')
    await onPage('/budgets', async ({ page }) => {
      const rows = await tableTexts(page, 'Budgets')
      expect(rows).toHaveLength(budgets.length)
      const company = budgets.find(({ name }) => name === 'company')
      const row = rows.find((cells) => cells[0]?.startsWith('company'))
      expect(row?.[1]).toBe(`${usd(company?.spent)} of ${usd(company?.limit)} ${percent(company?.share)}`)
      expect(row?.[2]).toBe(usd(company?.remaining))
    })
  })

  test('Budgets and Overview: what is expected', async () => {
    const { total, budgets } = await api<ForecastAnswer>('/v1/forecast')
    expect(total.map((each) => each.period)).toEqual(['day', 'week', 'month'])
    await onPage('/budgets', async ({ page }) => {
      const shown = await page.getByRole('list', { name: 'Forecasts' }).getByRole('listitem').allInnerTexts()
      for (const [index, { expected, spent, low, high }] of total.entries())
        for (const amount of [expected, spent, low, high]) expect(flat(shown[index] ?? '')).toContain(usd(amount))
      const company = budgets.find(({ name }) => name === 'company')
      const row = (await tableTexts(page, 'Budgets')).find((cells) => cells[0]?.startsWith('company'))
      expect(row?.[4]).toBe(usd(company?.atEnd?.expected))
    })
    await onPage('/', async ({ page }) => {
      const tile = await textOf(page.getByTitle('Forecasts and budgets'))
      for (const amount of [total[2]?.expected, total[2]?.spent, total[2]?.low, total[2]?.high]) expect(tile).toContain(usd(amount))
    })
  })

  test('Overview: the causes of the change sum to it, and each is the API’s', () =>
    onPage(`/?${period}`, async ({ page, answer }) => {
      const whole = answer<ReadingsAnswer>('/v1/readings').readings.find(({ segment }) => Object.keys(segment).length === 0)
      const rows = await page.locator('table').filter({ hasText: 'The change, by its causes' }).locator('tbody tr').allInnerTexts()
      const parts = largest(byCause(whole?.parts ?? []), 6)
      expect(rows.map((text) => flat(text).split(' ').at(-1))).toEqual([
        ...parts.map(({ amountUsd }) => signedUsd(amountUsd)),
        signedUsd(sumOf(whole?.parts ?? [])),
      ])
    }))

  test('Self-check: the nine points', async () => {
    const check = await api<SelfCheckAnswer>('/v1/self-check')
    await onPage('/check', async ({ page }) => {
      await page.getByRole('heading', { name: `Progress: ${check.done}/${check.of}` }).waitFor()
      const points = await page.getByRole('list', { name: 'Points' }).getByRole('listitem').allInnerTexts()
      expect(points).toHaveLength(9)
      for (const { title, says, isDone } of check.points)
        expect(points.map(flat).find((text) => text.includes(title))).toContain(`${isDone ? 'Done' : 'Missing'}: ${title} ${says}`)
    })
  })

  test('Calls: every entry of the page', async () => {
    const { entries } = await api<EntriesAnswer>(`/v1/entries?limit=100&${period}`)
    await onPage(`/calls?${period}`, async ({ page }) => {
      const rows = await tableTexts(page, 'Calls')
      expect(rows.map((cells) => [cells[1], cells[2]?.replace(sureness, ''), cells[4], cells[5], cells[6]])).toEqual(
        entries.map((call) => [
          call.kind === 'llm' ? call.model : call.tool,
          call.charge.basis === 'unpriced' ? 'unpriced' : usd(call.charge.totalUsd),
          call.kind === 'llm' ? compact(call.promptTokens) : '–',
          call.kind === 'llm' ? compact(call.completionTokens) : '–',
          duration(call.durationMs),
        ]),
      )
    })
  })

  test('Releases: two side by side', () =>
    onPage(`/releases?${period}&a=2.7.1&b=2.8.0`, async ({ page }) => {
      const names = ['runs', 'costPerRun', 'costP95', 'tokensPerRun', 'calls']
      const table = page.locator('table').filter({ hasText: '2.7.1 against 2.8.0' })
      const rows = (await table.first().locator('tbody tr').allInnerTexts()).map(flat)
      for (const release of ['2.7.1', '2.8.0']) {
        const { totals } = await api<QueryAnswer>(`/v1/query?measure=${names.join(',')}&where=release:${release}&${period}`)
        for (const name of names)
          expect(rows.find((text) => text.startsWith(`${measureInfo(name).title} `))).toContain(figureText(measureInfo(name), totals[name]))
      }
    }))

  test('Prices: the rates of the book, and of one model', async () => {
    const { prices, matches } = await api<PricesAnswer>('/v1/prices?search=gpt-4.1&limit=100')
    await onPage('/prices?q=gpt-4.1', async ({ page }) => {
      await page.getByRole('heading', { name: `${count(matches)} models` }).waitFor()
      const rows = await tableTexts(page, 'Prices')
      expect(rows.map((cells) => [cells[0], cells[1], cells[2], cells[5]])).toEqual(
        prices.map((price) => [
          price.model,
          price.providerName,
          exactUsd(price.current?.rates.input),
          exactUsd(price.current?.rates.output),
        ]),
      )
    })
    const one = await api<PriceDetailJson>('/v1/prices/openai/gpt-4.1')
    await onPage('/prices/openai/gpt-4.1', async ({ page }) => {
      const shown = await textOf(page.locator('main'))
      for (const rate of Object.values(one.periods[0]?.rates ?? {})) expect(shown).toContain(exactUsd(rate))
    })
  })

  test('Alerts: every alert, every rule, and how often each would have fired', async () => {
    const call = { kind: 'llm', provider: 'acme', model: 'acme-preview-2', usage: { input: 10 }, agent: 'night-watch' } as const
    await server.send([{ ...call, id: '019ab000-0000-7000-8000-000000000001', at: Date.now() }])
    const firing = async () => (await api<AlertsAnswer>('/v1/alerts')).alerts
    await expect.poll(firing, { timeout: 45_000 }).not.toEqual([])
    const found = await firing()
    await onPage('/alerts', async ({ page }) => {
      for (const { message } of found) await page.getByText(message, { exact: true }).first().waitFor()
      // The page asks until all previews are there.
      for (let left = await page.getByRole('progressbar').count(); left > 0; left = await page.getByRole('progressbar').count())
        await page.getByRole('progressbar').first().waitFor({ state: 'detached' })
      const { rules } = await api<AlertRulesAnswer>('/v1/alerts/rules')
      const shown = (await page.getByRole('list', { name: 'Rules' }).locator('> li').allInnerTexts()).map(flat)
      expect(shown).toHaveLength(rules.length)
      for (const [index, { name, preview }] of rules.entries()) {
        const times = preview?.fired.length ?? 0
        expect(shown[index]).toContain(name)
        expect(shown[index]).toMatch(times === 0 ? /never$/ : times === 1 ? / once$/ : new RegExp(` ${times} times$`))
      }
    })
  }, 90_000)
})

/** An amount as it is read, with what stands before one that is not sure. */
const marked = (row: Doubtful, value: Figure, decimals?: number): string => {
  const { mark, isUnknown } = doubtOf(row)
  if (value === null && isUnknown) return 'unpriced'
  const text = decimals === undefined ? usd(value as string | null) : usdWith(value as string | null, decimals)
  return value === null || mark === '' ? text : `${mark} ${mark === '≥' ? 'at least' : 'about'} ${text}`
}

/** The question of a tile: cost alone, compared, cut into buckets. */
const isMeter = (key: string): boolean => {
  const { searchParams } = new URL(key, 'http://localhost')
  return searchParams.get('measure') === 'cost' && searchParams.has('compare') && searchParams.has('interval')
}

const fileText = async (download: { createReadStream(): Promise<NodeJS.ReadableStream> }): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of await download.createReadStream()) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}
