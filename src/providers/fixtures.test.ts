import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allFixtures, type Fixture, fixtureDialects } from '../../test/fixtures/providers/all-fixtures.ts'
import { formatUsd } from '../core/money.ts'
import { isUnit } from '../core/units.ts'
import { countMax } from '../core/usage.ts'
import type { Dialect, UsageReport } from './dialect.ts'
import { dialectNamed, dialects, recogniseDialect } from './dialects.ts'
import { readUsage } from './read-usage.ts'

const dialectOf = (fixture: Fixture): Dialect => {
  const dialect = dialectNamed(fixture.dialect)
  if (dialect === undefined) throw new Error(`no dialect is named ${fixture.dialect}`)
  return dialect
}

const readStream = (dialect: Dialect, provider: string, pieces: Iterable<Uint8Array>): UsageReport => {
  const reader = dialect.createReader({ provider })
  for (const piece of pieces) reader.push(piece)
  return reader.end()
}

const readFixture = (fixture: Fixture): UsageReport => {
  const dialect = dialectOf(fixture)
  if (fixture.stream !== undefined) return readStream(dialect, fixture.provider, [fixture.stream])
  if (fixture.body !== undefined) return dialect.ofBody(fixture.body, { provider: fixture.provider })
  const read = readUsage({ dialect: fixture.dialect, provider: fixture.provider, rawUsage: fixture.rawUsage })
  if ('failure' in read) throw new Error(read.failure)
  return read
}

/** Cuts bytes at the given places, given as shares of the length. */
const cut = (bytes: Uint8Array, shares: readonly number[]): Uint8Array[] => {
  const places = [...new Set(shares.map((share) => Math.floor(share * bytes.length)))].sort((left, right) => left - right)
  return [0, ...places].map((place, index) => bytes.subarray(place, places[index] ?? bytes.length))
}

const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })

const expectSane = (report: UsageReport): void => {
  for (const [unit, count] of Object.entries(report.usage)) {
    expect(isUnit(unit)).toBe(true)
    expect(Number.isInteger(count) && (count ?? 0) > 0 && (count ?? 0) <= countMax).toBe(true)
  }
  if (Object.keys(report.usage).length === 0) expect(['complete', 'missing', 'partial']).toContain(report.quality)
}

test('every dialect of the list has fixtures, and every folder of fixtures a dialect', () => {
  expect(fixtureDialects()).toEqual(dialects.map((dialect) => dialect.name).sort())
})

describe.each(allFixtures())('$dialect: $name', (fixture) => {
  const report = readFixture(fixture)
  const { usage, quality, flags, also, reportedCostUsd, ...facts } = fixture.expect

  test('gives the usage, and what makes its price', () => {
    expect(report.usage).toEqual(usage)
    expect(report.quality).toBe(quality)
    if (flags !== undefined) expect([...report.flags].sort()).toEqual([...flags].sort())
    expect(report.reportedCost === undefined ? undefined : formatUsd(report.reportedCost)).toBe(reportedCostUsd)
    const { tier, speed, region, error } = facts
    expect(report).toMatchObject(facts)
    expect({ tier: report.tier, speed: report.speed, region: report.region, error: report.error }).toEqual({ tier, speed, region, error })
    expect(report.also?.length).toBe(also?.length)
    if (also !== undefined) expect(report.also).toMatchObject(also)
    expectSane(report)
  })

  test('says nothing that a person wrote', () => {
    expect(JSON.stringify({ ...report, reportedCost: undefined })).not.toContain('secret')
  })

  const { stream } = fixture
  if (stream === undefined) return
  const dialect = dialectOf(fixture)

  test('is the same however the bytes are cut', () => {
    const single = Array.from(stream, (_, index) => stream.subarray(index, index + 1))
    expect(readStream(dialect, fixture.provider, single)).toEqual(report)
    // One event per piece is what servers send, and has a way of its own.
    const text = Buffer.from(stream).toString('latin1')
    const events = text.split(/(?<=\n\n)/).map((event) => Buffer.from(event, 'latin1'))
    expect(readStream(dialect, fixture.provider, events)).toEqual(report)
    fc.assert(
      fc.property(shares, (places) => {
        expect(readStream(dialect, fixture.provider, cut(stream, places))).toEqual(report)
      }),
      { numRuns: 25 },
    )
  })

  // Frames of bytes begin with their length; they have no lines.
  const hasLines = (stream[0] ?? 0) >= 9
  if (hasLines)
    test('is the same with lines that end in CRLF, whole or event by event', () => {
      const text = Buffer.from(stream).toString('latin1').replace(/\r?\n/g, '\r\n')
      const events = text.split(/(?<=\r\n\r\n)/).map((event) => Buffer.from(event, 'latin1'))
      expect(readStream(dialect, fixture.provider, [Buffer.from(text, 'latin1')])).toEqual(report)
      expect(readStream(dialect, fixture.provider, events)).toEqual(report)
    })

  test('is complete only with all its counts, wherever it is cut off', () => {
    for (let end = 0; end <= stream.length; end += 7) {
      const reader = dialect.createReader({ provider: fixture.provider })
      reader.push(stream.subarray(0, end))
      const partial = reader.end()
      expectSane(partial)
      if (reader.isDone || partial.quality !== 'complete') continue
      expect([partial.flags.includes('truncated-stream'), partial.usage]).toEqual([true, report.usage])
    }
  })
})

test.each(allFixtures().filter((fixture) => fixture.body !== undefined && fixture.expect.quality !== 'missing'))(
  '$dialect: $name is recognised by its form',
  ({ body, provider, dialect }) => {
    expect(recogniseDialect({ body, provider })?.dialect.name).toBe(dialect)
  },
)

test.each(allFixtures().filter((fixture) => fixture.text !== undefined && Object.keys(fixture.expect.usage ?? {}).length > 0))(
  '$dialect: the stream of $name is recognised by its records',
  ({ text = '', provider, dialect, expect: { usage } }) => {
    expect(readUsage({ provider, stream: text })).toMatchObject({ dialect, recognised: true, usage })
  },
)

test.each(allFixtures().filter((fixture) => fixture.rawUsage !== undefined))(
  '$dialect: the usage object of $name is recognised by its fields',
  ({ rawUsage, provider, dialect, expect: { usage } }) => {
    expect(readUsage({ provider, rawUsage })).toMatchObject({ dialect, usage, recognised: true })
  },
)
