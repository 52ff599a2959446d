import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { LoadOrder, LoadResult } from './load.ts'
import { startPortkey } from './portkey.ts'
import { type BenchProcess, bundleProcesses, type Core, canPin, startProcess, vitalsOf } from './processes.ts'
import { startServe } from './serve.ts'

// The gateway against the limit (bench/gateway/bare-proxy.ts) and against a peer, as ratios in one run.

export interface GatewayFigures {
  readonly json: Comparison
  readonly streams: Comparison
  readonly added: Added
  readonly memory: { readonly startMb: number; readonly endMb: number; readonly mostMb: number }
  readonly isPinned: boolean
  readonly bad: number
  readonly portkey?: { readonly json: number; readonly streams: number; readonly bad: number }
}

/** Medians over the rounds. CPU is microseconds of all threads of the process per answer: other work on the machine does not show in it. */
export interface Comparison {
  readonly bare: number
  readonly gateway: number
  readonly ratio: number
  readonly bareCpuUs: number
  readonly gatewayCpuUs: number
  readonly cpuRatio: number
}

/** Milliseconds that the gateway adds to an answer that comes from the upstream itself, at a steady rate. */
export interface Added {
  readonly p50: number
  readonly p99: number
  readonly firstByteP50: number
  /** The same of the bare proxy. */
  readonly bareP50: number
  readonly bareP99: number
  readonly bareFirstByteP50: number
}

export const limits = {
  json: 0.6,
  streams: 0.85,
  portkeyJson: 8,
  portkeyStreams: 4,
  p50: 1,
  p99: 5,
  firstByteP50: 2,
  memoryMb: 200,
} as const

export interface GatewayBenchOptions {
  readonly rounds?: number
  readonly seconds?: number
  /** Minutes of load for the memory; 0: only what the rounds are. */
  readonly minutes?: number
  readonly portkey?: boolean
  /** The proxies share one core, all their threads, and whoever loads and feeds them has the other. Absent: the system decides. */
  readonly oneCore?: boolean
}

const body = (isStream: boolean): string =>
  JSON.stringify({
    model: 'gpt-4.1-mini',
    messages: [
      { role: 'system', content: 'You are a helpful assistant. '.repeat(8) },
      { role: 'user', content: `Question ########. ${'What does it cost? '.repeat(10)}` },
    ],
    max_tokens: 100,
    ...(isStream && { stream: true }),
  })

interface Target {
  readonly name: string
  readonly process: BenchProcess
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
}

interface Measured extends LoadResult {
  readonly cpuUs: number
}

const connections = 32

export const benchGateway = async ({
  rounds = 5,
  seconds = 2,
  minutes = 0,
  portkey = false,
  oneCore = false,
}: GatewayBenchOptions = {}): Promise<GatewayFigures> => {
  const bundles = await bundleProcesses()
  const isPinned = oneCore && canPin()
  const on = (core: Core): Core | undefined => (isPinned ? core : undefined)
  const start = (name: string, args: readonly string[], core: Core) => startProcess(join(bundles.folder, `${name}.js`), args, on(core))
  const upstream = await start('upstream', [], 'others')
  const load = await start('load', [], 'others')
  const url = `http://127.0.0.1:${upstream.port}`
  const bare: Target = { name: 'bare', process: await start('bare-proxy', [url], 'proxies'), path: '/v1/chat/completions' }
  const gateway: Target = {
    name: 'gateway',
    process: await startServe(join(bundles.folder, 'serve.js'), url, on('proxies')),
    path: '/openai/v1/chat/completions',
    headers: { 'x-taximeter-agent': 'bench', 'x-taximeter-run': 'r-@@@@@@@@' },
  }
  const peer = portkey ? await startPortkey(url, on('proxies')) : undefined
  try {
    const run = async (target: Target, isStream: boolean, more: Partial<LoadOrder> = {}): Promise<Measured> => {
      const { process, path, headers } = target
      const before = vitalsOf(process)
      const order: LoadOrder = {
        port: process.port,
        path,
        body: body(isStream),
        connections,
        seconds,
        ...(headers && { headers }),
        ...more,
      }
      const result = await load.ask<LoadResult>(order)
      return { ...result, cpuUs: (vitalsOf(process).cpuUs - before.cpuUs) / result.requests }
    }
    // Code that has not run yet is slow on both sides; a gateway runs for days.
    for (const target of [bare, gateway])
      for (const isStream of [false, true]) await run(target, isStream, { seconds: Math.max(4, seconds) })
    const warm = vitalsOf(gateway.process).rss
    const json = await compare(rounds, bare, gateway, (target) => run(target, false))
    const streams = await compare(rounds, bare, gateway, (target) => run(target, true))
    const direct: Target = { name: 'direct', process: { ...bare.process, port: upstream.port }, path: bare.path }
    const added = await latencies(rounds, direct, bare, gateway, run)
    const memory = await watchMemory(gateway, warm, minutes, () => run(gateway, false, { seconds: 10, rate: 2_000 }))
    const compared =
      peer &&
      (await comparePeer({ name: 'portkey', process: peer, path: '/v1/chat/completions', headers: peer.headers }, json, streams, run))
    return { json, streams, added, memory, isPinned, bad: json.bad + streams.bad, ...(compared && { portkey: compared }) }
  } finally {
    for (const process of [gateway.process, bare.process, load, upstream, peer]) await process?.stop()
    bundles.remove()
  }
}

const compare = async (
  rounds: number,
  bare: Target,
  gateway: Target,
  run: (target: Target) => Promise<Measured>,
): Promise<Comparison & { bad: number }> => {
  const bares: Measured[] = []
  const gateways: Measured[] = []
  for (let round = 0; round < rounds; round++) {
    bares.push(await run(bare))
    gateways.push(await run(gateway))
  }
  const of = (list: readonly Measured[], field: 'perSecond' | 'cpuUs'): number => median(list.map((each) => each[field]))
  return {
    bare: of(bares, 'perSecond'),
    gateway: of(gateways, 'perSecond'),
    // Each round is a pair, so that what else the machine does falls on both.
    ratio: median(gateways.map(({ perSecond }, round) => perSecond / (bares[round]?.perSecond ?? Number.NaN))),
    bareCpuUs: of(bares, 'cpuUs'),
    gatewayCpuUs: of(gateways, 'cpuUs'),
    cpuRatio: median(gateways.map(({ cpuUs }, round) => (bares[round]?.cpuUs ?? Number.NaN) / cpuUs)),
    bad: [...bares, ...gateways].reduce((sum, each) => sum + each.bad, 0),
  }
}

type Run = (target: Target, isStream: boolean, more?: Partial<LoadOrder>) => Promise<Measured>

const latencies = async (rounds: number, direct: Target, bare: Target, gateway: Target, run: Run): Promise<Added> => {
  const rows: Record<string, number>[] = []
  for (let round = 0; round < rounds; round++) {
    const [base, limit, ours] = [
      await run(direct, false, { rate: 500 }),
      await run(bare, false, { rate: 500 }),
      await run(gateway, false, { rate: 500 }),
    ]
    const [baseStream, limitStream, ourStream] = [
      await run(direct, true, { rate: 50 }),
      await run(bare, true, { rate: 50 }),
      await run(gateway, true, { rate: 50 }),
    ]
    rows.push({
      p50: ours.p50 - base.p50,
      p99: ours.p99 - base.p99,
      firstByteP50: ourStream.firstByteP50 - baseStream.firstByteP50,
      bareP50: limit.p50 - base.p50,
      bareP99: limit.p99 - base.p99,
      bareFirstByteP50: limitStream.firstByteP50 - baseStream.firstByteP50,
    })
  }
  const of = (field: keyof Added): number => median(rows.map((row) => row[field] ?? Number.NaN))
  return {
    p50: of('p50'),
    p99: of('p99'),
    firstByteP50: of('firstByteP50'),
    bareP50: of('bareP50'),
    bareP99: of('bareP99'),
    bareFirstByteP50: of('bareFirstByteP50'),
  }
}

const mebibyte = 1_048_576

const watchMemory = async (
  gateway: Target,
  start: number,
  minutes: number,
  loaded: () => Promise<unknown>,
): Promise<GatewayFigures['memory']> => {
  let most = start
  let end = start
  const until = Date.now() + minutes * 60_000
  do {
    if (minutes > 0) await loaded()
    end = vitalsOf(gateway.process).rss
    most = Math.max(most, end)
  } while (Date.now() < until)
  return { startMb: start / mebibyte, endMb: end / mebibyte, mostMb: most / mebibyte }
}

const comparePeer = async (
  peer: Target,
  json: Comparison,
  streams: Comparison,
  run: Run,
): Promise<NonNullable<GatewayFigures['portkey']>> => {
  await run(peer, false)
  const [whole, streamed] = [await run(peer, false), await run(peer, true)]
  return { json: json.gateway / whole.perSecond, streams: streams.gateway / streamed.perSecond, bad: whole.bad + streamed.bad }
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

const rounded = (value: number, digits = 2): string => value.toFixed(digits)

export const printGateway = ({ json, streams, added, memory, isPinned, bad, portkey }: GatewayFigures): void => {
  console.log(
    `gateway: metering, pricing and three budgets on, SQLite ledger; ${connections} connections; ${
      isPinned ? 'proxies on one core, upstream and load on another' : 'the system decides who runs where'
    }`,
  )
  for (const [name, { bare, gateway, ratio, bareCpuUs, gatewayCpuUs, cpuRatio }, limit] of [
    ['JSON', json, limits.json],
    ['streams of 50 chunks', streams, limits.streams],
  ] as const) {
    console.log(`  ${name}: ${rounded(gateway, 0)}/s, bare ${rounded(bare, 0)}/s, ratio ${rounded(ratio)} (limit ${limit})`)
    console.log(`    processor per answer: ${rounded(gatewayCpuUs, 0)} µs, bare ${rounded(bareCpuUs, 0)} µs, ratio ${rounded(cpuRatio)}`)
  }
  console.log(
    `  added at 500/s: p50 ${rounded(added.p50)} ms (limit ${limits.p50}), p99 ${rounded(added.p99)} ms (limit ${limits.p99}); bare ${rounded(added.bareP50)} and ${rounded(added.bareP99)}`,
  )
  console.log(
    `  added to the first byte of a stream: p50 ${rounded(added.firstByteP50)} ms (limit ${limits.firstByteP50}); bare ${rounded(added.bareFirstByteP50)}`,
  )
  console.log(
    `  resident memory: ${rounded(memory.startMb, 0)} MB after warm-up, ${rounded(memory.endMb, 0)} MB at the end, most ${rounded(memory.mostMb, 0)} MB (limit ${limits.memoryMb})`,
  )
  if (portkey)
    console.log(
      `  against @portkey-ai/gateway: JSON ${rounded(portkey.json)}× (limit ${limits.portkeyJson}), streams ${rounded(portkey.streams)}× (limit ${limits.portkeyStreams}); ${portkey.bad} of its answers were not 200`,
    )
  console.log(`  answers that were not 200: ${bad}`)
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      minutes: { type: 'string' },
      portkey: { type: 'boolean' },
      'one-core': { type: 'boolean' },
    },
  })
  const numberOf = (text: string | undefined): { readonly value?: number } => (text === undefined ? {} : { value: Number(text) })
  const { value: rounds = 5 } = numberOf(values.rounds)
  const { value: seconds = 2 } = numberOf(values.seconds)
  const { value: minutes = 0 } = numberOf(values.minutes)
  printGateway(await benchGateway({ rounds, seconds, minutes, portkey: values.portkey ?? false, oneCore: values['one-core'] ?? false }))
}
