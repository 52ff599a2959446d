import type { ByteFilter } from '../providers/stream-usage.ts'

/** Watches the bytes of an answer go by. None of it throws. At most one of `end`, `fail` and `cancel` is called, once; none when nobody reads on. */
export interface BodyWatch {
  see(chunk: Uint8Array): void
  end(): void
  /** The connection broke, or the caller aborted the request. */
  fail(error: unknown): void
  /** The caller wants no more. */
  cancel(): void
}

/**
 * The bytes of a response's body at the same pace, watched.
 *
 * Pull-based: a chunk is asked of the source when the caller asks for one, so that backpressure and cancelling pass through and
 * nothing is read that the caller does not read. The source is not locked before the first read: a response that is dropped
 * unread is then cleaned up by the runtime as without us. A stream of bytes, as a response's own is, so that `byob` readers work.
 */
export const createMeteredBody = (
  // The response and not its body: Node cancels the unread body of a response that is garbage, and this keeps it from being that.
  original: { readonly body: ReadableStream<Uint8Array> },
  watch: BodyWatch,
  edit?: ByteFilter,
): ReadableStream<Uint8Array> => {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  let isOver = false

  const over = (tell: () => void): void => {
    if (isOver) return
    isOver = true
    tell()
  }

  const open = (controller: ReadableByteStreamController): ReadableStreamDefaultReader<Uint8Array> => {
    const opened = original.body.getReader()
    // An abort is passed on at once, as an unwatched body does, whether or not anyone is reading just then. Weakly, so that an
    // open connection does not keep a body that its reader has let go of.
    const ours = new WeakRef(controller)
    opened.closed.catch((error: unknown) => {
      over(() => watch.fail(error))
      ours.deref()?.error(error)
    })
    return opened
  }

  const pull = async (controller: ReadableByteStreamController): Promise<void> => {
    reader ??= open(controller)
    for (;;) {
      const { done, value } = await reader.read()
      if (done) {
        if (isOver) return
        over(() => watch.end())
        give(controller, edit?.end())
        controller.close()
        // A `byob` read that waits is only answered by this.
        controller.byobRequest?.respond(0)
        return
      }
      watch.see(value)
      if (give(controller, edit === undefined ? value : edit.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength)))) return
    }
  }

  return new ReadableStream({
    type: 'bytes',
    pull,
    cancel(reason) {
      over(() => watch.cancel())
      return reader === undefined ? original.body.cancel(reason) : reader.cancel(reason)
    },
  })
}

/** Says whether anything was given. The stream takes the chunk's memory over, so that a part of a larger piece is copied first. */
const give = (controller: ReadableByteStreamController, chunk: Uint8Array | undefined): boolean => {
  if (chunk === undefined || chunk.byteLength === 0) return false
  controller.enqueue(chunk.byteLength === chunk.buffer.byteLength ? chunk : new Uint8Array(chunk))
  return true
}
