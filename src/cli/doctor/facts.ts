import { resolve } from 'node:path'
import type { LoadedConfig } from '../../config/load-config.ts'
import { settingNames, settings } from '../../config/settings.ts'
import { bookOf } from '../book.ts'
import { version } from '../version.ts'

/** Everything that another person needs to get the same result: versions, paths, and where each setting comes from. No secret. */
export const factsOf = async (loaded: LoadedConfig): Promise<Readonly<Record<string, string>>> => {
  const { config, file, origins } = loaded
  return {
    taximeter: version,
    node: process.version,
    sqlite: process.versions.sqlite ?? 'unknown',
    system: `${process.platform} ${process.arch}`,
    'price book': bookOf(loaded).version,
    'configuration file': file === undefined ? 'none' : resolve(file),
    'ledger file': resolve(config.data),
    ...Object.fromEntries(
      settingNames.filter((name) => origins[name] !== 'default').map((name) => [`${name} (${origins[name]})`, shown(name, config[name])]),
    ),
  }
}

const shown = (name: (typeof settingNames)[number], value: unknown): string => {
  if (settings[name].isSecret) return 'set, not shown'
  // Lists and tables can hold keys: their size tells enough.
  if (Array.isArray(value)) return `${value.length} given`
  if (typeof value === 'object' && value !== null) return `${Object.keys(value).length} given`
  return String(value)
}
