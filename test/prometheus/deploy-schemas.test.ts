import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1'
import { StatefulSet } from 'kubernetes-models/apps/v1'
import { ConfigMap, Secret, Service } from 'kubernetes-models/v1'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments, parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { deploy } from './monitoring.ts'

// What cannot be run here is held against the schemas of those who will: Kubernetes' own API, the Prometheus operator's, the Compose specification.

type Model = new (json: never) => { validate(): void }
const models: Readonly<Record<string, Model>> = { ConfigMap, Secret, Service, StatefulSet, ServiceMonitor }
const objects = readdirSync(join(deploy, 'kubernetes'))
  .flatMap((name) => parseAllDocuments(readFileSync(join(deploy, 'kubernetes', name), 'utf8')))
  .map((document) => document.toJS() as { kind: string; spec?: Record<string, unknown> })

describe('Kubernetes', () => {
  const validate = (json: { readonly kind: string }): void => {
    const Kind = models[json.kind]
    if (Kind === undefined) throw new Error(`No schema of ${json.kind}.`)
    new Kind(json as never).validate()
  }

  test.each(objects.map((each) => [each.kind, each] as const))('%s is one', (_, json) => {
    expect(() => validate(json)).not.toThrow()
  })

  test('what is none is refused', () => {
    const set = objects.find(({ kind }) => kind === 'StatefulSet')
    expect(() => validate({ kind: 'StatefulSet', ...set, spec: { ...set?.spec, replicas: 'one' } } as never)).toThrow(
      /replicas must be integer/,
    )
  })
})

describe('compose', () => {
  // Zod takes "duration" for ISO 8601, where Compose has 30s.
  const text = readFileSync(new URL('schemas/compose.schema.json', import.meta.resolve('dclint/package.json')), 'utf8')
  const schema = JSON.parse(text, (key, value) => (key === 'format' && value === 'duration' ? undefined : value))
  const type = z.fromJSONSchema(schema, { defaultTarget: 'draft-7' })
  const compose = parseYaml(readFileSync(join(deploy, 'compose/docker-compose.yml'), 'utf8'))

  test('the file is one', () => {
    expect(type.safeParse(compose).error?.issues ?? []).toEqual([])
  })

  test.each([
    ['a field that Compose does not know', { restrat: 'always' }],
    ['volumes that are no list', { volumes: 'data:/data' }],
  ])('%s is refused', (_, wrong) => {
    const services = { ...compose.services, taximeter: { ...compose.services.taximeter, ...wrong } }
    expect(type.safeParse({ ...compose, services }).success).toBe(false)
  })
})
