import { createServer as createNodeServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { TaximeterError } from '../core/errors.ts'
import { type Access, createAccess, type Keys, type Knock } from './access.ts'
import { createDashboardFiles } from './dashboard-files.ts'
import { errorAnswer } from './error-answer.ts'
import { defaultLimits, type ServerLimits } from './limits.ts'
import { readParameters } from './parameters.ts'
import { signInPage, welcomePage } from './plain-pages.ts'
import { createBodyReader } from './read-body.ts'
import type { Route } from './route.ts'
import { routesOf } from './routes.ts'
import type { Services } from './services.ts'
import { createStreams } from './streams.ts'

/** What stands in front of the routes and takes the requests that are its own. */
export interface Gateway {
  /** True when the request is the gateway's and is taken; false, and nothing has happened, otherwise. */
  handle(request: IncomingMessage, response: ServerResponse): boolean
}

export interface ServerOptions
  extends Omit<Services, 'startedAt' | 'needsKey' | 'hasGateway' | 'limits' | 'bodies' | 'streams' | 'openApi'> {
  readonly limits?: Partial<ServerLimits>
  /** When given, every route but /healthz asks for one of these. */
  readonly keys?: Keys | undefined
  /** Host names under which the server may be called without keys, besides those of loopback. */
  readonly hosts?: readonly string[] | undefined
  /** Origins of web pages that may read the API. None by default. */
  readonly origins?: readonly string[] | undefined
  /** The folder of the built dashboard. */
  readonly dashboard?: string | undefined
  readonly gateway?: Gateway | undefined
  /** Told of what failed unexpectedly: the caller gets no more than INTERNAL. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** The HTTP side as a value: it does not listen. */
export interface TaximeterServer {
  /** One request in the web's form, without a socket. */
  fetch(request: Request): Promise<Response>
  /** One request in Node's form, the gateway's included. */
  listener(request: IncomingMessage, response: ServerResponse): void
  /** An HTTP server with this one's limits, ready to listen. */
  httpServer(): HttpServer
  readonly routes: readonly Route[]
  /** Ends the live streams. What is being answered is answered. */
  close(): void
}

type Env = { Bindings: Partial<HttpBindings> }

export const createServer = (options: ServerOptions): TaximeterServer => {
  const limits = { ...defaultLimits, ...options.limits }
  const access = createAccess({ keys: options.keys, hosts: options.hosts, origins: options.origins, limits, now: options.now })
  const streams = createStreams({ store: options.store, limits, now: options.now })
  const services: Services = {
    ...options,
    startedAt: options.now(),
    needsKey: access.needsKey,
    hasGateway: options.gateway !== undefined,
    limits,
    bodies: createBodyReader(limits.bodiesBytesMax),
    streams,
    openApi: () => openApi(),
  }
  const routes = routesOf(services)
  const openApi = once(async () => JSON.stringify((await import('./openapi.ts')).openApiOf(routes, options.version)))
  options.metrics.setStreamClients(streams.count)

  const app = new Hono<Env>()
  const failed = (error: unknown): Response => {
    if (!(error instanceof TaximeterError)) options.onError?.(error)
    return errorAnswer(error)
  }
  const answered = (context: Context<Env>, route: string, answer: Response): Response => {
    options.metrics.countRequest(knownMethod(context.req.method), route, answer.status)
    return withHeaders(answer, access.allowedOrigin(knockOf(context)))
  }
  const guarded =
    (route: string, handle: (context: Context<Env>) => Response | Promise<Response>) =>
    async (context: Context<Env>): Promise<Response> => {
      try {
        access.checkOrigin(knockOf(context))
        return answered(context, route, await handle(context))
      } catch (error) {
        return answered(context, route, failed(error))
      }
    }

  app.options('*', guarded('none', preflight(access)))
  for (const route of routes) app.on(route.method, mountPath(route), guarded(route.path, routeHandler(route, access)))
  app.post('/-/sign-in', guarded('/-/sign-in', signIn(access, services)))
  for (const path of new Set(routes.map(mountPath))) app.all(path, guarded('none', methodNotAllowed(routes)))
  app.all('*', guarded('dashboard', pages(access, options)))
  app.onError((error, context) => answered(context, 'none', failed(error)))

  const routeListener = getRequestListener((request, env) => app.fetch(request, env), {
    // The gateway and the agent's own code in this process use the platform's Request and Response as they are.
    overrideGlobalObjects: false,
    errorHandler: failed,
  })
  const listener = createListener(options.gateway, access, routeListener)

  return {
    fetch: async (request) => app.fetch(request),
    listener,
    httpServer: () => createHttpServer(listener),
    routes,
    close: () => streams.close(),
  }
}

const once = <Value>(make: () => Value): (() => Value) => {
  let made: { readonly value: Value } | undefined
  return () => (made ??= { value: make() }).value
}

/** Sockets that say nothing, or too slowly, are closed; so many may be open at once. */
const createHttpServer = (listener: TaximeterServer['listener']): HttpServer => {
  const server = createNodeServer(
    {
      maxHeaderSize: 32_768,
      headersTimeout: 20_000,
      requestTimeout: 300_000,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 5_000,
    },
    listener,
  )
  server.maxConnections = 4_096
  return server
}

const createListener =
  (
    gateway: Gateway | undefined,
    access: Access,
    routeListener: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  ): TaximeterServer['listener'] =>
  (request, response) => {
    // A web page must not spend what the gateway's provider keys can buy. Who is refused here is refused by the routes as well.
    if (gateway !== undefined && isFromHere(access, request) && gateway.handle(request, response)) return
    void routeListener(request, response)
  }

const isFromHere = (access: Access, { method = 'GET', headers }: IncomingMessage): boolean => {
  try {
    access.checkOrigin({ method, header: (name) => headerText(headers[name]) })
    return true
  } catch {
    return false
  }
}

const headerText = (value: string | readonly string[] | undefined): string | undefined => (typeof value === 'object' ? value[0] : value)

const knockOf = (context: Context<Env>): Knock => ({
  method: context.req.method,
  // A request that came by no socket has no Host header; its URL says the same.
  header: (name) => context.req.header(name) ?? (name === 'host' ? new URL(context.req.url).host : undefined),
})

const routeHandler =
  (route: Route, access: Access) =>
  async (context: Context<Env>): Promise<Response> => {
    const caller = await access.callerOf(knockOf(context), route.uses)
    return route.handle({
      method: context.req.method,
      query: readParameters(route.query ?? {}, new URL(context.req.url).searchParams, `${route.method} ${route.path}`),
      param: (name) => context.req.param(name) ?? '',
      header: (name) => context.req.header(name),
      caller,
      source: { incoming: context.env?.incoming, request: context.req.raw },
    })
  }

/** `/v1/runs/{id}` → `/v1/runs/:id`; a parameter that may hold slashes takes the rest. */
const mountPath = ({ path, greedy = [] }: Route): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => `:${name}${greedy.includes(name) ? '{.+}' : ''}`)

const methods = ['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'PATCH', 'DELETE']
/** A method is a label of a metric, and callers can make methods up. */
const knownMethod = (method: string): string => (methods.includes(method) ? method : 'other')

const methodNotAllowed =
  (routes: readonly Route[]) =>
  (context: Context<Env>): Response => {
    const here = routes.filter((route) => matches(route, context.req.path)).map(({ method }) => method)
    const error = new TaximeterError('METHOD_NOT_ALLOWED', `This route takes ${here.join(' or ')}.`)
    const answer = errorAnswer(error)
    answer.headers.set('allow', [...here, ...(here.includes('GET') ? ['HEAD'] : [])].join(', '))
    return answer
  }

const matches = (route: Route, path: string): boolean =>
  new RegExp(`^${route.path.replace(/\{(\w+)\}/g, (_, name: string) => (route.greedy?.includes(name) ? '.+' : '[^/]+'))}$`).test(path)

const preflight =
  (access: Access) =>
  (context: Context<Env>): Response => {
    const isAllowed = access.allowedOrigin(knockOf(context)) !== undefined
    return new Response(null, {
      status: 204,
      headers: isAllowed
        ? {
            'access-control-allow-methods': 'GET, POST',
            'access-control-allow-headers': 'authorization, content-type, x-taximeter-key, last-event-id',
            'access-control-max-age': '600',
          }
        : { allow: 'GET, HEAD, POST' },
    })
  }

const acceptsHtml = (context: Context<Env>): boolean => (context.req.header('accept') ?? '').includes('text/html')

/** The dashboard, or a page in its place; anything else is nothing that we know. */
const pages = (access: Access, options: ServerOptions) => {
  const files = options.dashboard === undefined ? undefined : createDashboardFiles(options.dashboard)
  return async (context: Context<Env>): Promise<Response> => {
    const { path, method } = context.req
    if ((method === 'GET' || method === 'HEAD') && !path.startsWith('/v1/')) {
      try {
        await access.callerOf(knockOf(context), ['read'])
      } catch (error) {
        if (acceptsHtml(context)) return signInPage(false)
        throw error
      }
      const answer = await files?.answer(decodedPath(path), {
        acceptsGzip: /\bgzip\b/.test(context.req.header('accept-encoding') ?? ''),
        acceptsHtml: acceptsHtml(context),
        ifNoneMatch: context.req.header('if-none-match'),
      })
      if (answer !== undefined) return answer
      if (path === '/') return welcomePage(options.version)
    }
    throw new TaximeterError('NOT_FOUND', `There is no ${knownMethod(method)} ${path.slice(0, 100)} here. /openapi.json lists every route.`)
  }
}

const decodedPath = (path: string): string => {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

const signIn =
  (access: Access, { bodies }: Services) =>
  (context: Context<Env>): Promise<Response> =>
    bodies.read({ incoming: context.env?.incoming, request: context.req.raw }, 4_096, async (body) => {
      const secret = new URLSearchParams(body.toString('utf8')).get('key') ?? ''
      const cookie = await access.signIn(secret.trim(), context.req.url.startsWith('https:'))
      if (cookie === undefined) return signInPage(true)
      return new Response(null, { status: 303, headers: { location: '/', 'set-cookie': cookie } })
    })

/** What every answer says to browsers: this is what its type says it is, it is nobody else's to show, and nothing of it is kept. */
const withHeaders = (answer: Response, allowedOrigin: string | undefined): Response => {
  const { headers } = answer
  headers.set('x-content-type-options', 'nosniff')
  headers.set('x-frame-options', 'DENY')
  // Not `no-referrer`: with it a browser posts the sign-in form with "Origin: null", which is nobody's and refused.
  headers.set('referrer-policy', 'same-origin')
  headers.set('cross-origin-resource-policy', allowedOrigin === undefined ? 'same-origin' : 'cross-origin')
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store')
  if (allowedOrigin !== undefined) {
    headers.set('access-control-allow-origin', allowedOrigin)
    headers.append('vary', 'origin')
  }
  return answer
}
