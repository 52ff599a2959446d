export type { GatewayCounters } from './gateway/counters.ts'
export { createGateway, type Gateway, type GatewayOptions } from './gateway/gateway.ts'
export { parseUpstreams, type Upstreams } from './gateway/upstreams.ts'
