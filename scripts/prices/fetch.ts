import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { providerSources } from './providers.ts'
import type { GenaiProvider } from './read-genai.ts'
import type { ModelsDev } from './read-models-dev.ts'
import type { Snapshots } from './sources.ts'

/** The snapshots in a folder. Each is of its day in `dates` (by source), or of `day`. */
export const loadSnapshots = (folder: string, day: string, dates: Readonly<Record<string, string>> = {}): Snapshots => {
  const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'))
  const files = readdirSync(join(folder, 'portkey')).filter((file) => file.endsWith('.json'))
  return {
    genai: { json: read('genai-prices.json'), asOf: dates['genai-prices'] ?? day },
    langfuse: { json: read('langfuse-default-model-prices.json'), asOf: dates.langfuse ?? day },
    modelsDev: { json: read('models-dev.json'), asOf: dates['models-dev'] ?? day },
    portkey: {
      json: Object.fromEntries(files.map((file) => [file.slice(0, -5), read(join('portkey', file))])),
      asOf: dates.portkey ?? day,
    },
    litellm: { json: read('litellm-model-prices.json'), asOf: dates.litellm ?? day },
  }
}

const raw = 'https://raw.githubusercontent.com'
const addresses = {
  genai: `${raw}/pydantic/genai-prices/main/prices/new_data/v2/data.json`,
  langfuse: `${raw}/langfuse/langfuse/main/worker/src/constants/default-model-prices.json`,
  modelsDev: 'https://models.dev/api.json',
  portkey: `${raw}/Portkey-AI/models/main/pricing`,
  litellm: `${raw}/BerriAI/litellm/main/model_prices_and_context_window.json`,
}

/** The same from their public addresses, as of today. Throws at the first that does not answer. */
export const fetchSnapshots = async (day: string): Promise<Snapshots> => {
  const portkey = [...new Set(Object.values(providerSources).flatMap(({ portkey: files = [] }) => files))]
  const [genai, langfuse, modelsDev, litellm, ...files] = await Promise.all([
    fetchJson(addresses.genai),
    fetchJson(addresses.langfuse),
    fetchJson(addresses.modelsDev),
    fetchJson(addresses.litellm),
    ...portkey.map((file) => fetchJson(`${addresses.portkey}/${file}.json`)),
  ])
  return {
    genai: { json: genai as Snapshots['genai']['json'], asOf: day },
    langfuse: { json: langfuse as Snapshots['langfuse']['json'], asOf: day },
    modelsDev: { json: modelsOf(modelsDev), asOf: day },
    portkey: { json: Object.fromEntries(portkey.map((file, index) => [file, files[index]])) as Snapshots['portkey']['json'], asOf: day },
    litellm: { json: litellm as Snapshots['litellm']['json'], asOf: day },
  }
}

const timeoutMs = 60_000

const fetchJson = async (address: string): Promise<unknown> => {
  const answer = await fetch(address, { signal: AbortSignal.timeout(timeoutMs) })
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}.`)
  return answer.json()
}

/** models.dev answers with its providers' whole records; the models are under `models`, and some have no price. */
const modelsOf = (json: unknown): ModelsDev =>
  Object.fromEntries(
    Object.entries(json as Record<string, { models: ModelsDev[string] }>).map(([id, { models }]) => [
      id,
      Object.fromEntries(Object.entries(models).filter(([, { cost }]) => cost !== undefined)),
    ]),
  )

/** genai-prices from the package in node_modules, which carries the data of the day that it was published on. */
export const withInstalledGenai = async (snapshots: Snapshots, asOf: string): Promise<Snapshots> => {
  const { findProvider } = await import('@pydantic/genai-prices')
  const ids = new Set(Object.values(providerSources).flatMap(({ genai = [] }) => genai))
  const json = [...ids].flatMap((providerId) => (findProvider({ providerId }) as GenaiProvider | undefined) ?? [])
  return { ...snapshots, genai: { json, asOf } }
}
