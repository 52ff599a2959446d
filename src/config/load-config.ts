import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Document, isNode, LineCounter, parseDocument, parse as parseYaml } from 'yaml'
import { TaximeterError } from '../core/errors.ts'
import { type Config, environmentNameOf, type SettingName, settingNames, settings } from './settings.ts'

export interface ConfigSources {
  /** Path of the file; absent or missing with `isOptional`: defaults and environment alone. */
  readonly path: string
  readonly isOptional: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
}

export interface LoadedConfig {
  readonly config: Config
  /** The file that was read, if one was. */
  readonly file: string | undefined
  /** Which settings came from where, for `doctor`. Names only, so that no secret is shown. */
  readonly origins: Readonly<Record<SettingName, 'file' | 'environment' | 'default'>>
  /** `budgets[0].limit` → "taximeter.yaml:12:5", for complaints of the part that reads a list. */
  locate(path: string): string
}

/** Settings from the file, then the environment, then defaults. Throws BAD_CONFIG with the place, what was expected and what came. */
export const loadConfig = (sources: ConfigSources): LoadedConfig => {
  const file = readFile(sources)
  const locate = (path: string): string => (file === undefined ? path : placeOf(file, partsOf(path)))
  refuseCycles(file?.value, locate)
  const values: Record<string, unknown> = {
    ...(file === undefined ? {} : (withSecretFiles(file.value, dirname(resolve(sources.path)), '', locate) as object)),
  }
  for (const name of Object.keys(values)) {
    if (!settingNames.includes(name as SettingName))
      throw complaint(locate(name), `"${name}" is not a setting. Use ${settingNames.join(', ')}`)
  }
  const origins = Object.fromEntries(settingNames.map((name) => [name, name in values ? 'file' : 'default'])) as Record<
    SettingName,
    'file' | 'environment' | 'default'
  >
  for (const name of settingNames) {
    const given = fromEnvironment(name, sources.environment)
    if (given === undefined) continue
    refuseCycles(given, () => environmentNameOf(name))
    values[name] = given
    origins[name] = 'environment'
  }
  const config: Record<string, unknown> = {}
  for (const name of settingNames) config[name] = checked(name, values[name], origins[name], locate)
  return { config: config as unknown as Config, file: file?.path, origins, locate }
}

interface ConfigFile {
  readonly path: string
  readonly value: unknown
  readonly document: Document
  readonly lines: LineCounter
}

const readFile = ({ path, isOptional }: ConfigSources): ConfigFile | undefined => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if (isOptional && (cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new TaximeterError('BAD_CONFIG', `The configuration file ${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const [error] = document.errors
  if (error !== undefined) {
    const place = lines.linePos(error.pos[0])
    throw complaint(`${path}:${place.line}:${place.col}`, (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, ''))
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {}
  if (typeof value !== 'object' || Array.isArray(value))
    throw complaint(`${path}:1:1`, 'The file should hold settings as "name: value" lines')
  return { path, value, document, lines }
}

/** `port: 80` as text would be refused elsewhere; here numbers and lists are read as YAML, so that every setting has one form. */
const fromEnvironment = (name: SettingName, environment: ConfigSources['environment']): unknown => {
  const variable = environmentNameOf(name)
  const path = settings[name].isSecret && environment[`${variable}_FILE`]
  const text = path ? readSecret(path, `${variable}_FILE`) : environment[variable]
  if (text === undefined) return undefined
  const isText = settings[name].isSecret || !/^\s*[[{]/.test(text)
  if (isText) return text
  try {
    return parseYaml(text)
  } catch (cause) {
    throw new TaximeterError(
      'BAD_CONFIG',
      `${variable} should be a list or a table as JSON or YAML: ${(cause as Error).message.split('\n')[0]}`,
      { cause },
    )
  }
}

/** An alias of YAML can stand inside what it names; nobody could read that to its end. */
const refuseCycles = (value: unknown, locate: (path: string) => string, path = '', around: readonly unknown[] = []): void => {
  if (typeof value !== 'object' || value === null) return
  if (around.includes(value)) throw complaint(locate(path), 'What stands here contains itself')
  for (const [key, item] of Object.entries(value))
    refuseCycles(item, locate, Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`, [...around, value])
}

/** `password_file: path` anywhere stands for `password: <what the file holds>`. */
const withSecretFiles = (value: unknown, folder: string, path: string, locate: (path: string) => string): unknown => {
  if (Array.isArray(value)) return value.map((item, index) => withSecretFiles(item, folder, `${path}[${index}]`, locate))
  if (typeof value !== 'object' || value === null) return value
  const result: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`
    if (key.endsWith('_file') && typeof item === 'string') result[key.slice(0, -5)] = readSecret(resolve(folder, item), locate(at))
    else result[key] = withSecretFiles(item, folder, at, locate)
  }
  return result
}

const readSecret = (path: string, where: string): string => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (cause) {
    throw complaint(where, `The file ${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`)
  }
}

const checked = (name: SettingName, value: unknown, origin: string, locate: (path: string) => string): unknown => {
  const result = settings[name].schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const path = [name, ...(issue?.path ?? [])].reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`),
    '',
  )
  const got = settings[name].isSecret ? 'a value that is not shown' : JSON.stringify(value)?.slice(0, 80)
  throw complaint(
    origin === 'environment' ? environmentNameOf(name) : locate(path),
    `"${path}": ${issue?.message ?? 'not valid'}; got ${got}. ${settings[name].about}`,
  )
}

const partsOf = (path: string): readonly (string | number)[] =>
  [...path.matchAll(/[^.[\]]+/g)].map(([part]) => (/^\d+$/.test(part) ? Number(part) : part))

/** The place of a path, or of the nearest thing around it that stands in the file. */
const placeOf = (file: ConfigFile, parts: readonly (string | number)[]): string => {
  for (let depth = parts.length; depth > 0; depth--) {
    const node = file.document.getIn(parts.slice(0, depth), true)
    if (!isNode(node) || !node.range) continue
    const place = file.lines.linePos(node.range[0])
    return `${file.path}:${place.line}:${place.col}`
  }
  return file.path
}

const complaint = (where: string, sentence: string) =>
  new TaximeterError('BAD_CONFIG', `${where}: ${sentence}${/[.!?]$/.test(sentence) ? '' : '.'}`)
