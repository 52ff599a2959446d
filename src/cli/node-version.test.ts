import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { nodeNeeded, refusalOfNode } from './node-version.ts'

test('an older Node than the package needs is refused by name', () => {
  expect(manifest.engines.node).toBe(`>=${nodeNeeded}`)
  for (const version of ['18.20.8', '20.20.2', '22.17.1']) expect(refusalOfNode(version)).toContain(`this is ${version}.`)
  for (const version of ['22.18.0', '22.23.3', '23.0.0', '24.21.0']) expect(refusalOfNode(version)).toBeUndefined()
})
