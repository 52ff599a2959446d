import { OpenAPIHono } from '@hono/zod-openapi'
import type { Route } from './route.ts'

/** The routes as an OpenAPI 3.1 document. */
export const openApiOf = (routes: readonly Route[], version: string): Readonly<Record<string, unknown>> => {
  const app = new OpenAPIHono()
  app.openAPIRegistry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description: 'A client key, where keys are configured; also as `x-taximeter-key`.',
  })
  for (const { method, path, title, query, params, body, answers, uses } of routes) {
    app.openAPIRegistry.registerPath({
      method: method === 'GET' ? 'get' : 'post',
      path,
      summary: title,
      security: uses.length === 0 ? [] : [{ key: [] }],
      request: {
        ...(query !== undefined && { query }),
        ...(params !== undefined && { params }),
        ...(body !== undefined && { body: { required: true, content: contentOf(body) } }),
      },
      responses: Object.fromEntries(
        Object.entries(answers).map(([status, { says, content }]) => [
          status,
          { description: says, ...(content !== undefined && { content: contentOf(content) }) },
        ]),
      ),
    })
  }
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'taximeter', version, description: 'What AI agents cost, while they run.', license: { name: 'MIT' } },
  }) as unknown as Readonly<Record<string, unknown>>
}

const contentOf = (content: NonNullable<Route['body']>) =>
  Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]))
