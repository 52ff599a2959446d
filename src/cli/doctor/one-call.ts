import type { LoadedConfig } from '../../config/load-config.ts'
import { TaximeterError } from '../../core/errors.ts'
import { formatUsd } from '../../core/money.ts'
import { TokenTracker } from '../../sdk/token-tracker.ts'
import { createPlayback } from '../../testing.ts'
import { listen } from '../listen.ts'
import { createLog } from '../log.ts'
import { wire } from '../wire.ts'

const usage = { prompt_tokens: 1_000, completion_tokens: 500, total_tokens: 1_500 }

/**
 * The smallest complete path, on a ledger of its own: a call through the SDK to a local upstream, over HTTP into the ledger, and
 * back out as a sum. Throws when the sum is not what the price book's own rates give by hand.
 */
export const oneCall = async (loaded: LoadedConfig, now: () => number): Promise<string> => {
  // What is tried is the path; prices, budgets, keys and rules of the user's own are checked where they are read.
  const config = {
    ...loaded.config,
    zone: 'UTC',
    prices: {},
    budgets: [],
    keys: [],
    upstreams: [],
    alerts: [],
    silences: [],
    notifiers: [],
  }
  const wired = await wire({ ...loaded, config }, { log: createLog('silent', () => {}), now })
  const upstream = createPlayback({
    'POST /v1/chat/completions': () => ({
      body: JSON.stringify({ id: 'doctor', object: 'chat.completion', model: 'gpt-4.1', choices: [], usage }),
    }),
  })
  const listening = await listen(wired.server, { host: '127.0.0.1', port: 0, hasKeys: false })
  try {
    const url = await upstream.listen()
    const tracker = new TokenTracker({ url: listening.url, hosts: { [new URL(url).host]: 'openai' } })
    await (
      await tracker.fetch(`${url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify({ model: 'gpt-4.1', messages: [] }) })
    ).text()
    await tracker.close()
    const { totals } = await wired.store.ask({
      measures: ['cost', 'calls'],
      by: [],
      where: [],
      from: now() - 3_600_000,
      to: now() + 3_600_000,
      zone: 'UTC',
    })
    const card = wired.book().find('openai', 'gpt-4.1', now(), {})
    if (typeof card === 'string') throw new TaximeterError('BAD_PRICE', `The price book does not know gpt-4.1: ${card}.`)
    const byHand = formatUsd(
      (BigInt(usage.prompt_tokens) * (card.rates.input?.amount ?? 0n) +
        BigInt(usage.completion_tokens) * (card.rates.output?.amount ?? 0n)) /
        1_000_000n,
    )
    if (totals.calls !== 1 || totals.cost !== byHand)
      throw new TaximeterError(
        'LEDGER_FAILED',
        `One call should cost $${byHand}, the ledger says ${totals.calls} calls and $${totals.cost}.`,
      )
    return `metered, priced, kept and summed: $${byHand}, as by hand`
  } finally {
    await listening.close()
    await Promise.all([wired.close(), upstream.close()])
  }
}
