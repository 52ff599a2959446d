import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRefresher } from './refresher.ts'

const page = { hidden: false, addEventListener: vi.fn(), removeEventListener: vi.fn() }

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('document', page)
  page.hidden = false
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const refresherThatTakes = (ms: number) => {
  const refresh = vi.fn(() => new Promise<void>((resolve) => setTimeout(resolve, ms)))
  return { refresh, ...createRefresher({ refresh }) }
}

describe('createRefresher', () => {
  it('much news in little time is one refresh', async () => {
    const { refresh, stir, close } = refresherThatTakes(10)
    for (let count = 0; count < 100; count += 1) stir()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(refresh).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(refresh).toHaveBeenCalledTimes(1)
    close()
  })

  it('a refresh that is slow is followed by a pause ten times as long', async () => {
    const { refresh, stir, close } = refresherThatTakes(1_000)
    stir()
    await vi.advanceTimersByTimeAsync(3_000)
    stir()
    await vi.advanceTimersByTimeAsync(9_900)
    expect(refresh).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(200)
    expect(refresh).toHaveBeenCalledTimes(2)
    close()
  })

  it('without news it asks once a minute, because "the last hour" moves', async () => {
    const { refresh, close } = refresherThatTakes(10)
    await vi.advanceTimersByTimeAsync(61_000)
    expect(refresh).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(61_000)
    expect(refresh).toHaveBeenCalledTimes(2)
    close()
  })

  it('a page that nobody sees asks nothing', async () => {
    const { refresh, stir, close } = refresherThatTakes(10)
    page.hidden = true
    stir()
    await vi.advanceTimersByTimeAsync(300_000)
    expect(refresh).not.toHaveBeenCalled()
    close()
  })
})
