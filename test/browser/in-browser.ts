import { describe, expect, test } from 'vitest'
import { executablePath } from './chromium.ts'

/** Tests in a real browser. Without one they fail where everything must be tested, and are skipped with the reason elsewhere. */
export const describeInBrowser = (name: string, tests: () => void): void => {
  if (executablePath !== undefined) return void describe(name, tests)
  if (process.env.CI === 'true') {
    return void test(name, () => expect.fail('Chromium is not installed: apt-get install chromium.'))
  }
  console.warn(`${name}: skipped, because Chromium is not installed (apt-get install chromium).`)
  describe.skip(name, tests)
}
