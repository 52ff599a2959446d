import { expect, test } from 'vitest'
import { billedModelOf } from './billed-model.ts'

test.each<[string, string | undefined, string | undefined, string | undefined]>([
  ['openai', 'gpt-4.1-2025-04-14', 'gpt-4.1', 'gpt-4.1-2025-04-14'],
  ['azure', undefined, 'prod-chat', 'prod-chat'],
  ['bedrock', 'claude-sonnet-4-5-20250929', 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'us.anthropic.claude-sonnet-4-5-20250929-v1:0'],
  ['bedrock', 'claude-sonnet-4-5-20250929', 'arn:aws:bedrock:us-east-1:1:application-inference-profile/abc', 'claude-sonnet-4-5-20250929'],
  ['bedrock', 'claude-sonnet-4-5-20250929', undefined, 'claude-sonnet-4-5-20250929'],
  ['openai', '', 'gpt-4.1', 'gpt-4.1'],
  ['openai', undefined, undefined, undefined],
])('of %s: an answer of %s to a request for %s is billed as %s', (provider, answered, requested, billed) => {
  expect(billedModelOf(provider, answered, requested)).toBe(billed)
})
