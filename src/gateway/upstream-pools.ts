import { Pool } from 'undici'
import { publicLookup } from '../network/safe-address.ts'
import type { GatewayLimits } from './limits.ts'
import type { Upstream } from './upstreams.ts'

/** Connections to the upstreams, kept open between calls. */
export interface UpstreamPools {
  of(upstream: Upstream): Pool
  /** Lets go of the connections to all others; calls that use them are not disturbed. */
  keepOnly(upstreams: ReadonlySet<Upstream>): void
  close(): Promise<void>
  destroy(): Promise<void>
}

export const createUpstreamPools = (limits: Pick<GatewayLimits, 'connectionsMax'>): UpstreamPools => {
  const pools = new Map<Upstream, Pool>()
  return {
    of(upstream) {
      let pool = pools.get(upstream)
      if (pool === undefined) pools.set(upstream, (pool = createPool(upstream, limits)))
      return pool
    },
    keepOnly(upstreams) {
      for (const [upstream, pool] of pools) {
        if (upstreams.has(upstream)) continue
        pools.delete(upstream)
        void pool.close()
      }
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.close()))
    },
    async destroy() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()))
    },
  }
}

const createPool = (upstream: Upstream, { connectionsMax }: Pick<GatewayLimits, 'connectionsMax'>): Pool => {
  const { connectMs, headersMs, idleMs, keepAliveMs } = upstream.timeouts
  return new Pool(upstream.origin ?? '', {
    connections: connectionsMax,
    headersTimeout: headersMs,
    bodyTimeout: idleMs,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: 600_000,
    // One protocol on both sides: what a client sees must not depend on how many calls share a connection.
    allowH2: false,
    connect: { timeout: connectMs, ...(!upstream.isPrivate && { lookup: publicLookup() }) },
  })
}
