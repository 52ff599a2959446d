import type { Readable } from 'node:stream'
import { type LoadedConfig, loadConfig } from '../config/load-config.ts'

/** What a command touches of the process, handed in, so that a command can be run by a test. */
export interface Io {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly input: Readable
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly now: () => number
  readonly isTerminal: boolean
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly stop: AbortSignal
  /** Called at each SIGHUP. Returns how to stop listening. */
  onReload(listener: () => void): () => void
  setExitCode(code: number): void
}

/** Options that several commands share, as commander hands them over. */
export interface ConfigOptions {
  readonly config?: string
  readonly data?: string
}

/** The configuration of a command: the file and the environment, then the flags. */
export const configOf = (io: Io, options: ConfigOptions): LoadedConfig => {
  const loaded = loadConfig({
    path: options.config ?? io.environment.TAXIMETER_CONFIG ?? './taximeter.yaml',
    isOptional: options.config === undefined && io.environment.TAXIMETER_CONFIG === undefined,
    environment: io.environment,
  })
  return options.data === undefined ? loaded : { ...loaded, config: { ...loaded.config, data: options.data } }
}
