import { TaximeterError } from '../../core/errors.ts'
import { alertmanagerNotifier } from './alertmanager/alertmanager-notifier.ts'
import { discordNotifier } from './discord/discord-notifier.ts'
import { emailNotifier } from './email/email-notifier.ts'
import { type LogLine, logNotifier } from './log/log-notifier.ts'
import type { Notifier } from './notifier.ts'
import { opsgenieNotifier } from './opsgenie/opsgenie-notifier.ts'
import { pagerdutyNotifier } from './pagerduty/pagerduty-notifier.ts'
import { slackNotifier } from './slack/slack-notifier.ts'
import { teamsNotifier } from './teams/teams-notifier.ts'
import { webhookNotifier } from './webhook/webhook-notifier.ts'

export interface NotifierContext {
  readonly log: LogLine
  readonly now: () => number
}

type Make = (name: string, read: Fields, context: NotifierContext) => Notifier

/** Every kind of notifier: the one list. Configuration names one as `{name, type, ...}`. */
export const notifierTypes: Readonly<Record<string, Make>> = {
  log: (name, _, { log }) => logNotifier(name, log),
  webhook: (name, read, { now }) => webhookNotifier(name, { ...read.address(), ...read.maybe('secret') }, now),
  slack: (name, read) => slackNotifier(name, read.address()),
  discord: (name, read) => discordNotifier(name, read.address()),
  teams: (name, read) => teamsNotifier(name, read.address()),
  pagerduty: (name, read) => pagerdutyNotifier(name, { ...read.address('https://events.pagerduty.com/v2/enqueue'), key: read.text('key') }),
  opsgenie: (name, read) => opsgenieNotifier(name, { ...read.address('https://api.opsgenie.com'), key: read.text('key') }),
  email: (name, read) =>
    emailNotifier(name, {
      host: read.text('host'),
      port: read.number('port', 587),
      isSecure: read.flag('secure'),
      isPrivate: read.flag('private'),
      from: read.text('from'),
      to: read.texts('to'),
      ...read.maybe('user'),
      ...read.maybe('password'),
    }),
  alertmanager: (name, read) => alertmanagerNotifier(name, read.address()),
}

/** A notifier as configuration writes it. Throws BAD_CONFIG with the path; a value is never shown, because most are secrets. */
export const parseNotifier = (value: unknown, path: string, context: NotifierContext): Notifier => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(path, 'a notifier with "name" and "type"')
  const read = fieldsOf(value as Readonly<Record<string, unknown>>, path)
  const type = read.text('type')
  const make = Object.hasOwn(notifierTypes, type) ? notifierTypes[type] : undefined
  if (make === undefined) throw bad(`${path}.type`, `one of ${Object.keys(notifierTypes).join(', ')}`)
  const notifier = make(read.text('name'), read, context)
  read.end()
  return notifier
}

type Fields = ReturnType<typeof fieldsOf>

const fieldsOf = (json: Readonly<Record<string, unknown>>, path: string) => {
  const used = new Set<string>()
  const take = (name: string): unknown => {
    used.add(name)
    return json[name]
  }
  const text = (name: string): string => {
    const value = take(name)
    if (typeof value !== 'string' || value === '' || value.length > 2_000) throw bad(`${path}.${name}`, 'a text')
    return value
  }
  const flag = (name: string): boolean => {
    const value = take(name) ?? false
    if (typeof value !== 'boolean') throw bad(`${path}.${name}`, 'true or false')
    return value
  }
  return {
    text,
    flag,
    maybe: <Name extends string>(name: Name): { readonly [Key in Name]?: string } =>
      json[name] === undefined ? {} : ({ [name]: text(name) } as { readonly [Key in Name]?: string }),
    number: (name: string, otherwise: number): number => {
      const value = take(name) ?? otherwise
      if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 65_535)
        throw bad(`${path}.${name}`, 'a whole number from 1 to 65535')
      return value
    },
    texts: (name: string): readonly string[] => {
      const value = take(name)
      const list = Array.isArray(value) ? value : [value]
      if (list.length === 0 || list.length > 50 || !list.every((each) => typeof each === 'string' && each !== ''))
        throw bad(`${path}.${name}`, 'a text or a list of at most 50 texts')
      return list as readonly string[]
    },
    address: (otherwise?: string): { readonly url: string; readonly isPrivate: boolean } => {
      const url = otherwise !== undefined && json.url === undefined ? otherwise : text('url')
      if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
        throw bad(`${path}.url`, 'an address that begins with http:// or https://')
      return { url: url.replace(/\/+$/, ''), isPrivate: flag('private') }
    },
    end: (): void => {
      const unknown = Object.keys(json).find((name) => !used.has(name))
      if (unknown !== undefined) throw bad(`${path}.${unknown}`, `one of ${[...used].join(', ')}`)
    },
  }
}

const bad = (path: string, expected: string) => new TaximeterError('BAD_CONFIG', `${path} should be ${expected}.`)
