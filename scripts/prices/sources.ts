import type { Reading, SourceId } from './candidate.ts'
import { type GenaiProvider, readGenai } from './read-genai.ts'
import { type LangfuseModel, readLangfuse } from './read-langfuse.ts'
import { type LitellmModel, readLitellm } from './read-litellm.ts'
import { type ModelsDev, readModelsDev } from './read-models-dev.ts'
import { type PortkeyFile, readPortkey } from './read-portkey.ts'

export interface SourceReading extends Reading {
  readonly source: SourceId
  readonly asOf: string
}

/** What is read: parsed JSON per source, and the day that each was true on. Portkey is a folder of files, by name. */
export interface Snapshots {
  readonly genai: { readonly json: readonly GenaiProvider[]; readonly asOf: string }
  readonly langfuse: { readonly json: readonly LangfuseModel[]; readonly asOf: string }
  readonly modelsDev: { readonly json: ModelsDev; readonly asOf: string }
  readonly portkey: { readonly json: Readonly<Record<string, PortkeyFile>>; readonly asOf: string }
  readonly litellm: { readonly json: Readonly<Record<string, LitellmModel>>; readonly asOf: string }
}

export const readSnapshots = ({ genai, langfuse, modelsDev, portkey, litellm }: Snapshots): readonly SourceReading[] => [
  { source: 'genai-prices', asOf: genai.asOf, ...readGenai(genai.json, genai.asOf) },
  { source: 'langfuse', asOf: langfuse.asOf, ...readLangfuse(langfuse.json) },
  { source: 'models-dev', asOf: modelsDev.asOf, ...readModelsDev(modelsDev.json, modelsDev.asOf) },
  { source: 'portkey', asOf: portkey.asOf, ...readPortkey(portkey.json, portkey.asOf) },
  { source: 'litellm', asOf: litellm.asOf, ...readLitellm(litellm.json, litellm.asOf) },
]
