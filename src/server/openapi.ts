import { OpenAPIHono, z } from '@hono/zod-openapi'
import type { Content, Route } from './route.ts'
import { schemas } from './schema-list.ts'

// Loaded when /openapi.json is first asked for: the schemas and their library are 14 MB that a server at rest does without.

/** The routes as an OpenAPI 3.1 document. */
export const openApiOf = (routes: readonly Route[], version: string): Readonly<Record<string, unknown>> => {
  const app = new OpenAPIHono()
  app.openAPIRegistry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description: 'A client key, where keys are configured; also as `x-taximeter-key`.',
  })
  for (const { method, path, title, body, answers, uses } of routes) {
    app.openAPIRegistry.registerPath({
      method: method === 'GET' ? 'get' : 'post',
      path,
      summary: title,
      security: uses.length === 0 ? [] : [{ key: [] }],
      request: body === undefined ? {} : { body: { required: true, content: contentOf(body) } },
      responses: Object.fromEntries(
        Object.entries(answers).map(([status, { says, content }]) => [
          status,
          { description: says, ...(content !== undefined && { content: contentOf(content) }) },
        ]),
      ),
    })
  }
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'taximeter', version, description: 'What AI agents cost, while they run.', license: { name: 'MIT' } },
  })
  for (const route of routes) {
    const operation = document.paths?.[route.path]?.[route.method === 'GET' ? 'get' : 'post']
    const parameters = parametersOf(route)
    if (operation !== undefined && parameters.length > 0) Object.assign(operation, { parameters })
  }
  return document as unknown as Readonly<Record<string, unknown>>
}

const contentOf = (content: Content) =>
  Object.fromEntries(Object.entries(content).map(([type, name]) => [type, { schema: name === 'text' ? z.string() : schemas[name] }]))

const parametersOf = ({ path, query = {} }: Route): readonly object[] => [
  ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
  ...Object.entries(query).map(([name, { schema, description }]) => ({
    name,
    in: 'query',
    required: false,
    schema,
    ...(description !== undefined && { description }),
  })),
]
