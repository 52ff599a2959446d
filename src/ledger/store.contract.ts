import { afterEach, describe } from 'vitest'
import { describeAppend } from './contract/append.ts'
import { describeAsk } from './contract/ask.ts'
import { describeLaws } from './contract/laws.ts'
import type { MakeStore } from './contract/make-store.ts'
import { describeRuns } from './contract/runs.ts'
import { describeTail } from './contract/tail.ts'
import type { Store } from './store.ts'

/** What every store must do, whatever is underneath. */
export const describeStore = (name: string, make: MakeStore): void => {
  describe(name, () => {
    const stores: Store[] = []
    afterEach(async () => {
      for (const store of stores.splice(0)) await store.close()
    })
    const open: MakeStore = async () => {
      const store = await make()
      stores.push(store)
      return store
    }
    describeAppend(open)
    describeAsk(open)
    describeRuns(open)
    describeTail(open)
    describeLaws(open)
  })
}
