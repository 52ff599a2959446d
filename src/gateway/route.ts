import type { Upstream, Upstreams } from './upstreams.ts'
import { upstreamPathOf } from './upstreams.ts'

/** Where a request to the gateway goes. */
export interface Route {
  readonly upstream: Upstream
  /** As the upstream is asked for it, without the query. */
  readonly path: string
  /** With its "?", or empty. */
  readonly query: string
  /** What stood in `/via/…/`, not yet read. */
  readonly via: string | undefined
}

/** The route of a request's target, or undefined when it is none of the gateway's: `/<upstream>/…` or `/via/<pairs>/<upstream>/…`. */
export const routeOf = (target: string, upstreams: Upstreams): Route | undefined => {
  let rest = target
  let via: string | undefined
  if (rest.startsWith('/via/')) {
    const end = rest.indexOf('/', 5)
    if (end === -1) return undefined
    via = rest.slice(5, end)
    rest = rest.slice(end)
  }
  if (rest.charCodeAt(0) !== slash) return undefined
  const mark = rest.indexOf('?')
  const pathEnd = mark === -1 ? rest.length : mark
  let nameEnd = rest.indexOf('/', 1)
  if (nameEnd === -1 || nameEnd > pathEnd) nameEnd = pathEnd
  const upstream = upstreams.get(rest.slice(1, nameEnd))
  if (upstream === undefined) return undefined
  let pathStart = nameEnd
  // A base URL that ends in a slash leaves two of them.
  while (rest.charCodeAt(pathStart) === slash && rest.charCodeAt(pathStart + 1) === slash) pathStart += 1
  return { upstream, path: upstreamPathOf(upstream, rest.slice(pathStart, pathEnd)), query: mark === -1 ? '' : rest.slice(mark), via }
}

const slash = 47

/** True for a path that another reader could take for a different place: with dot segments, backslashes or encoded slashes of either kind. */
export const isEvasive = (path: string): boolean => /(?:^|[/\\])(?:\.|%2e){1,2}(?:[/\\]|$)|[\\#]|%5c/i.test(path)
