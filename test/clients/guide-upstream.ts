// Loaded before a guide's snippet: what it sends to a provider or to a taximeter server goes to the playback instead. The addresses
// that the tracker sees are the real ones.

const playback = process.env.PLAYBACK_URL ?? ''
const original = globalThis.fetch

globalThis.fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input)
  return original(new URL(url.pathname + url.search, playback), init)
}
