import type { ModelJson } from '../../src/core/book-json.ts'
import type { SourceId } from './candidate.ts'

/** Where the prices of one of our providers are found in each source, and what holds for all its models. */
export interface ProviderSource {
  readonly name: string
  /** The page on which the provider publishes its prices. */
  readonly page: string
  readonly inherits?: readonly string[]
  /** What telemetry calls it; what the sources call it is known from them. */
  readonly telemetry?: readonly string[]
  /** Whether a prompt of exactly the threshold pays the rates of a tier. "Above" in a source means `gt` unless the provider says otherwise. */
  readonly tierOp?: 'gt' | 'gte'
  /**
   * What a unit costs in a variant whose price list names the input and not this unit. `input`: there is no discount, so that it
   * pays the variant's own input rate. Elsewhere the standard rate of the unit stands.
   */
  readonly unlistedCache?: 'input'
  /** The order in which the sources are trusted, where it is not that of `sourceIds`. */
  readonly trust?: readonly SourceId[]
  readonly patterns?: readonly (readonly [string, string])[]
  readonly anyModel?: ModelJson
  readonly genai?: readonly string[]
  readonly portkey?: readonly string[]
  /** Values of `litellm_provider`. */
  readonly litellm?: readonly string[]
  readonly modelsDev?: readonly string[]
  readonly langfuse?: RegExp
}

/** The names by which others know a provider, but for those that are another's. */
export const otherNamesOf = (id: string): readonly string[] => {
  const source = providerSources[id]
  const { telemetry = [], genai = [], portkey = [], litellm = [], modelsDev = [] } = source ?? {}
  return [...new Set([...telemetry, ...genai, ...portkey, ...litellm, ...modelsDev])]
    .filter((name) => !Object.hasOwn(providerSources, name))
    .sort()
}

/** Every provider of the book: the one list. The id is the provider's name everywhere in taximeter. */
export const providerSources: Readonly<Record<string, ProviderSource>> = {
  openai: {
    name: 'OpenAI',
    page: 'https://developers.openai.com/api/docs/pricing',
    // The short-context list holds for "< 272K input", so that the long one begins at the threshold.
    tierOp: 'gte',
    unlistedCache: 'input',
    genai: ['openai'],
    portkey: ['openai'],
    litellm: ['openai', 'text-completion-openai'],
    modelsDev: ['openai'],
    langfuse: /^(gpt|o\d|chatgpt|codex|text-embedding|ft:)/,
  },
  anthropic: {
    name: 'Anthropic',
    page: 'https://platform.claude.com/docs/en/about-claude/pricing',
    genai: ['anthropic'],
    portkey: ['anthropic'],
    litellm: ['anthropic'],
    modelsDev: ['anthropic'],
    langfuse: /^claude/,
  },
  google: {
    telemetry: ['gcp.gemini'],
    name: 'Google Gemini API',
    page: 'https://ai.google.dev/gemini-api/docs/pricing',
    genai: ['google'],
    portkey: ['google'],
    litellm: ['gemini'],
    modelsDev: ['google'],
    langfuse: /^gemini/,
  },
  azure: {
    telemetry: ['azure.ai.inference', 'azure.ai.openai'],
    name: 'Microsoft Azure',
    page: 'https://azure.microsoft.com/pricing/details/cognitive-services/openai-service/',
    inherits: ['openai', 'anthropic'],
    tierOp: 'gte',
    unlistedCache: 'input',
    genai: ['azure'],
    portkey: ['azure-openai', 'azure-ai'],
    litellm: ['azure', 'azure_text', 'azure_ai'],
    modelsDev: ['azure'],
  },
  vertex: {
    telemetry: ['gcp.vertex_ai'],
    name: 'Google Vertex AI',
    page: 'https://cloud.google.com/vertex-ai/generative-ai/pricing',
    inherits: ['google', 'anthropic'],
    portkey: ['vertex-ai'],
    litellm: [
      'vertex_ai',
      'vertex_ai-ai21_models',
      'vertex_ai-anthropic_models',
      'vertex_ai-deepseek_models',
      'vertex_ai-embedding-models',
      'vertex_ai-language-models',
      'vertex_ai-llama_models',
      'vertex_ai-minimax_models',
      'vertex_ai-mistral_models',
      'vertex_ai-moonshot_models',
      'vertex_ai-openai_models',
      'vertex_ai-qwen_models',
      'vertex_ai-text-models',
      'vertex_ai-zai_models',
    ],
    modelsDev: ['google-vertex', 'google-vertex-anthropic'],
    // Portkey lists a regional endpoint's rates as the standard ones.
    trust: ['models-dev', 'litellm', 'portkey', 'genai-prices', 'langfuse'],
  },
  bedrock: {
    telemetry: ['aws.bedrock'],
    name: 'Amazon Bedrock',
    page: 'https://aws.amazon.com/bedrock/pricing/',
    genai: ['aws'],
    portkey: ['bedrock', 'bedrock-mantle', 'claude-platform-aws'],
    litellm: ['bedrock', 'bedrock_converse', 'bedrock_mantle'],
    modelsDev: ['amazon-bedrock'],
  },
  mistral: {
    telemetry: ['mistral_ai'],
    name: 'Mistral',
    page: 'https://mistral.ai/pricing/api',
    genai: ['mistral'],
    portkey: ['mistral-ai'],
    litellm: ['mistral', 'codestral', 'text-completion-codestral'],
    modelsDev: ['mistral'],
  },
  cohere: {
    name: 'Cohere',
    page: 'https://cohere.com/pricing',
    genai: ['cohere'],
    portkey: ['cohere'],
    litellm: ['cohere', 'cohere_chat'],
    modelsDev: ['cohere'],
  },
  deepseek: {
    name: 'DeepSeek',
    page: 'https://api-docs.deepseek.com/quick_start/pricing',
    genai: ['deepseek'],
    portkey: ['deepseek'],
    litellm: ['deepseek'],
    modelsDev: ['deepseek'],
  },
  groq: {
    name: 'Groq',
    page: 'https://groq.com/pricing',
    genai: ['groq'],
    portkey: ['groq'],
    litellm: ['groq'],
    modelsDev: ['groq'],
  },
  xai: {
    telemetry: ['x_ai'],
    name: 'xAI',
    page: 'https://docs.x.ai/docs/models',
    // The higher rates begin at the threshold: xAI writes "≥ 200K".
    tierOp: 'gte',
    genai: ['x-ai'],
    portkey: ['x-ai'],
    litellm: ['xai'],
    modelsDev: ['xai'],
  },
  openrouter: {
    name: 'OpenRouter',
    page: 'https://openrouter.ai/models',
    // LiteLLM's entries for OpenRouter are stale and not read; of the others the one that copies OpenRouter's list oftenest leads.
    trust: ['portkey', 'models-dev', 'genai-prices', 'langfuse', 'litellm'],
    genai: ['openrouter'],
    portkey: ['openrouter'],
    modelsDev: ['openrouter'],
    patterns: [[':free$', 'openrouter/free']],
  },
  perplexity: {
    name: 'Perplexity',
    page: 'https://docs.perplexity.ai/docs/getting-started/pricing',
    genai: ['perplexity'],
    portkey: ['perplexity-ai'],
    litellm: ['perplexity'],
    modelsDev: ['perplexity'],
  },
  moonshotai: {
    name: 'Moonshot AI',
    page: 'https://platform.kimi.ai/docs/pricing/chat',
    genai: ['moonshotai'],
    portkey: ['moonshot'],
    litellm: ['moonshot'],
    modelsDev: ['moonshotai'],
  },
  cerebras: {
    name: 'Cerebras',
    page: 'https://www.cerebras.ai/pricing',
    genai: ['cerebras'],
    portkey: ['cerebras'],
    litellm: ['cerebras'],
    modelsDev: ['cerebras'],
  },
  fireworks: {
    name: 'Fireworks AI',
    page: 'https://fireworks.ai/pricing',
    genai: ['fireworks'],
    portkey: ['fireworks-ai'],
    litellm: ['fireworks_ai', 'fireworks_ai-embedding-models'],
    modelsDev: ['fireworks-ai'],
  },
  together: {
    name: 'Together AI',
    page: 'https://www.together.ai/pricing',
    genai: ['together'],
    portkey: ['together-ai'],
    litellm: ['together_ai'],
    modelsDev: ['togetherai'],
  },
  deepinfra: {
    name: 'DeepInfra',
    page: 'https://deepinfra.com/pricing',
    portkey: ['deepinfra'],
    litellm: ['deepinfra'],
    modelsDev: ['deepinfra'],
  },
  novita: {
    name: 'Novita AI',
    page: 'https://novita.ai/pricing',
    genai: ['novita'],
    portkey: ['novita-ai'],
    litellm: ['novita'],
    modelsDev: ['novita-ai'],
  },
  nebius: {
    name: 'Nebius',
    page: 'https://nebius.com/prices-ai-studio',
    portkey: ['nebius'],
    litellm: ['nebius'],
  },
  sambanova: {
    name: 'SambaNova',
    page: 'https://cloud.sambanova.ai/plans/pricing',
    litellm: ['sambanova'],
  },
  hyperbolic: { name: 'Hyperbolic', page: 'https://app.hyperbolic.ai/models', litellm: ['hyperbolic'] },
  nscale: { name: 'Nscale', page: 'https://docs.nscale.com/pricing', litellm: ['nscale'] },
  scaleway: { name: 'Scaleway', page: 'https://www.scaleway.com/en/pricing/model-as-a-service/', litellm: ['scaleway'] },
  ovhcloud: {
    name: 'OVHcloud AI Endpoints',
    page: 'https://endpoints.ai.cloud.ovh.net/catalog',
    genai: ['ovhcloud'],
    litellm: ['ovhcloud'],
  },
  baseten: { name: 'Baseten', page: 'https://www.baseten.co/pricing/', litellm: ['baseten'], modelsDev: ['baseten'] },
  alibaba: {
    name: 'Alibaba Cloud Model Studio',
    page: 'https://www.alibabacloud.com/help/en/model-studio/models',
    portkey: ['dashscope'],
    litellm: ['dashscope'],
    modelsDev: ['alibaba'],
  },
  minimax: {
    name: 'MiniMax',
    page: 'https://platform.minimax.io/docs/guides/pricing-paygo',
    // Portkey's file for MiniMax has dollars where cents belong: it is not read.
    genai: ['minimax'],
    litellm: ['minimax'],
    modelsDev: ['minimax'],
  },
  zai: {
    name: 'Z.ai',
    page: 'https://docs.z.ai/guides/overview/pricing',
    genai: ['zai'],
    portkey: ['z-ai'],
    litellm: ['zai'],
    modelsDev: ['zai'],
  },
  zhipuai: {
    name: 'Zhipu AI',
    page: 'https://open.bigmodel.cn/pricing',
    // What the others list under this name are the dollars of Z.ai, not the yuan of bigmodel.cn.
    genai: ['zhipuai'],
  },
  ai21: { name: 'AI21', page: 'https://www.ai21.com/pricing/', portkey: ['ai21'], litellm: ['ai21'] },
  voyageai: { name: 'Voyage AI', page: 'https://docs.voyageai.com/docs/pricing', genai: ['voyageai'], litellm: ['voyage'] },
  jina: { name: 'Jina AI', page: 'https://jina.ai/api-dashboard/', portkey: ['jina'], litellm: ['jina_ai'] },
  byteplus: { name: 'BytePlus ModelArk', page: 'https://docs.byteplus.com/en/docs/ModelArk/1544106', portkey: ['byteplus'] },
  cloudflare: {
    name: 'Cloudflare Workers AI',
    page: 'https://developers.cloudflare.com/workers-ai/platform/pricing/',
    portkey: ['workers-ai'],
    litellm: ['cloudflare'],
  },
  databricks: { name: 'Databricks', page: 'https://www.databricks.com/product/pricing/foundation-model-serving', litellm: ['databricks'] },
  oracle: {
    name: 'Oracle Cloud',
    page: 'https://www.oracle.com/artificial-intelligence/generative-ai/generative-ai-service/pricing/',
    portkey: ['oracle'],
    litellm: ['oci'],
  },
  watsonx: { name: 'IBM watsonx.ai', page: 'https://www.ibm.com/products/watsonx-ai/pricing', litellm: ['watsonx'] },
  snowflake: { name: 'Snowflake Cortex', page: 'https://www.snowflake.com/legal-files/CreditConsumptionTable.pdf', litellm: ['snowflake'] },
  vercel: {
    name: 'Vercel AI Gateway',
    page: 'https://vercel.com/ai-gateway/models',
    litellm: ['vercel_ai_gateway'],
    modelsDev: ['vercel'],
  },
  huggingface: { name: 'Hugging Face', page: 'https://huggingface.co/inference/models', modelsDev: ['huggingface'] },
  replicate: { name: 'Replicate', page: 'https://replicate.com/pricing', litellm: ['replicate'] },
  lambda: { name: 'Lambda', page: 'https://lambda.ai/inference', litellm: ['lambda_ai'] },
  gmi: { name: 'GMI Cloud', page: 'https://docs.gmicloud.ai/inference-engine/billing/price', litellm: ['gmi'] },
  crusoe: { name: 'Crusoe', page: 'https://www.crusoe.ai/cloud/pricing', litellm: ['crusoe'] },
  friendli: { name: 'Friendli', page: 'https://friendli.ai/pricing', litellm: ['friendliai'] },
  avian: { name: 'Avian', page: 'https://avian.io/pricing/', genai: ['avian'] },
  doubleword: { name: 'Doubleword', page: 'https://docs.doubleword.ai/inference-api/models', genai: ['doubleword'] },
  lightning: { name: 'Lightning AI', page: 'https://lightning.ai/models', portkey: ['lightning-ai'] },
  inception: {
    name: 'Inception',
    page: 'https://www.inceptionlabs.ai/',
    litellm: ['inception', 'text-completion-inception'],
    modelsDev: ['inception'],
  },
  stepfun: { name: 'StepFun', page: 'https://platform.stepfun.ai/docs/en/pricing', modelsDev: ['stepfun'] },
  upstage: { name: 'Upstage', page: 'https://www.upstage.ai/pricing/api', modelsDev: ['upstage'] },
  xiaomi: { name: 'Xiaomi MiMo', page: 'https://platform.xiaomimimo.com/docs/en-US/pricing', modelsDev: ['xiaomi'] },
  reka: { name: 'Reka', page: 'https://reka.ai/pricing', portkey: ['reka-ai'] },
  morph: { name: 'Morph', page: 'https://morphllm.com/pricing', litellm: ['morph'] },
  v0: { name: 'v0', page: 'https://v0.app/pricing', litellm: ['v0'] },
  deepgram: { name: 'Deepgram', page: 'https://deepgram.com/pricing', litellm: ['deepgram'] },
  elevenlabs: { name: 'ElevenLabs', page: 'https://elevenlabs.io/pricing/api', litellm: ['elevenlabs'] },
  assemblyai: { name: 'AssemblyAI', page: 'https://www.assemblyai.com/pricing', litellm: ['assemblyai'] },
  ollama: {
    name: 'Ollama',
    page: 'https://ollama.com',
    // A model on one's own machine costs nothing per token; configuration can price the machine's hours.
    anyModel: { periods: [{ rates: { input: '0', output: '0' }, confidence: 'decided' }] },
  },
}
