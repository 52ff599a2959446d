/**
 * A response with another body that stands for the original in everything a caller can see: status, headers, `url`, `type`,
 * `redirected`, and clones of it too.
 *
 * A real response of the same class, and not a proxy, so that `instanceof`, `json()` and everything else that looks inside work.
 * Undefined when there can be none (no body, or a class that is not the platform's): the original is then used as it is.
 */
export const meteredResponseOf = (original: Response, body: ReadableStream<Uint8Array>): Response | undefined => {
  try {
    if (typeof original.body?.getReader !== 'function') return undefined
    const Class = original.constructor as typeof Response
    const { status, statusText, headers } = original
    const response = new Class(body, { status, statusText, headers })
    return response.body === body ? likeOriginal(response, original) : undefined
  } catch {
    return undefined
  }
}

const likeOriginal = (response: Response, original: Pick<Response, 'url' | 'type' | 'redirected' | 'headers'>): Response => {
  const clone = response.clone
  return Object.defineProperties(response, {
    url: { value: original.url, configurable: true },
    type: { value: original.type, configurable: true },
    redirected: { value: original.redirected, configurable: true },
    headers: { value: original.headers, configurable: true },
    clone: { value: () => likeOriginal(clone.call(response), original), configurable: true, writable: true },
  })
}
