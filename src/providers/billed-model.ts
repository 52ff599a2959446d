/**
 * The model that is billed: the one that the answer names, else the one that was asked for.
 *
 * Bedrock's answers name the model as its maker does, and the request where it runs as well: "us.anthropic.…" costs more than
 * "global.anthropic.…". There the request goes first, unless it is an address (ARN), which names no model.
 */
export const billedModelOf = (provider: string, answered: string | undefined, requested: string | undefined): string | undefined =>
  provider === 'bedrock' && requested && !requested.startsWith('arn:') ? requested : answered || requested
