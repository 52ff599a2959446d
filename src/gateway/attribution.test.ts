import { describe, expect, it } from 'vitest'
import { attributionOf } from './attribution.ts'

describe('whose call it is', () => {
  it('the path says it, headers say it better, and the key has the last word', () => {
    const headers = { 'x-taximeter-agent': 'from-header', 'x-taximeter-team': 'from-header', 'x-taximeter-tags': 'plan=free,region=eu' }
    expect(
      attributionOf('agent=from-path;run=r-1;tag.plan=path;tag.a=b', headers, { key: 'alice', team: 'from-key', tags: { plan: 'pro' } }),
    ).toEqual({
      agent: 'from-header',
      run: 'r-1',
      team: 'from-key',
      key: 'alice',
      tags: { plan: 'pro', region: 'eu', a: 'b' },
    })
  })

  it.each([
    ['escapes are undone', 'agent=support%20bot;run=a%2Fb', { agent: 'support bot', run: 'a/b' }],
    ['a broken escape is taken as it is', 'agent=50%', { agent: '50%' }],
    ['nobody can claim a key', 'key=alice', {}],
    ['unknown names and empty values are passed over', 'agnet=a;agent=;=x;run', {}],
    ['names of the language are not attributes', '__proto__=x;constructor=y;tag.__proto__=z', {}],
    ['a tag needs a plain name', 'tag.a b=x;tag.=y;tag.ok=z', { tags: { ok: 'z' } }],
    ['long texts are cut', `agent=${'x'.repeat(300)}`, { agent: 'x'.repeat(200) }],
  ])('%s', (_name, via, expected) => {
    expect(attributionOf(via, {}, undefined)).toEqual(expected)
  })

  it('raw UTF-8 in a header is read as what it is', () => {
    expect(attributionOf(undefined, { 'x-taximeter-agent': Buffer.from('büro').toString('latin1') }, undefined)).toEqual({ agent: 'büro' })
    expect(attributionOf(undefined, { 'x-taximeter-agent': 'b%C3%BCro' }, undefined)).toEqual({ agent: 'büro' })
  })

  it('tags past the limit are left out', () => {
    const many = Array.from({ length: 40 }, (_, index) => `t${index}=x`).join(';')
    expect(Object.keys(attributionOf(undefined, { 'x-taximeter-tags': many }, undefined).tags ?? {})).toHaveLength(16)
    const { tags = {} } = attributionOf(undefined, { 'x-taximeter-tags': many }, { tags: { plan: 'pro', t3: 'of the key' } })
    expect(Object.keys(tags)).toHaveLength(16)
    expect(tags).toMatchObject({ plan: 'pro', t3: 'of the key' })
  })
})
