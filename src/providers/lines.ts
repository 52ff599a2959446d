/** One record of a stream may hold a whole picture in base64 beside its usage; a record that is longer is passed over and flagged. */
export const recordBytesMax = 16 * 1024 * 1024

/** Text in any pieces → its parts, as soon as they are whole. Never throws. */
export interface Pieces {
  push(text: string): void
  /**
   * True between two parts, where that is known without looking: what is pushed next begins a part of its own. A field and not a
   * getter, here and wherever something is made per stream: V8 makes a hidden class of its own for each object with a getter, which
   * keeps everything in it alive until the next full collection (that tripled the cost of a short stream).
   */
  isIdle: boolean
  /** Nothing follows: what is pending is a part too. */
  end(): void
}

/** What becomes of a part that is longer than the limit. */
export interface PieceLimits {
  readonly bytesMax: number
  readonly tooLong: () => void
}

/**
 * Text in any pieces → its lines, without their ends, which may be LF, CRLF or CR, mixed.
 *
 * A CR at the end of a piece ends its line at once; an LF at the start of the next piece then belongs to it.
 */
export const createLines = (line: (text: string) => void, limits: PieceLimits): Pieces => {
  let pending = ''
  let isPassingOver = false
  let endedWithReturn = false

  const finish = (text: string): void => {
    if (isPassingOver) isPassingOver = false
    else if (text.length > limits.bytesMax) limits.tooLong()
    else line(text)
  }

  const keep = (text: string): void => {
    if (isPassingOver || text === '') return
    // Joined ropes are not copied until a line is whole, so that a long line in many small pieces costs its length once.
    pending += text
    if (pending.length <= limits.bytesMax) return
    pending = ''
    isPassingOver = true
    limits.tooLong()
  }

  const lines: Pieces = {
    isIdle: true,
    push(piece) {
      let text = piece
      if (endedWithReturn && text !== '') {
        if (text.charCodeAt(0) === 10) text = text.slice(1)
        endedWithReturn = false
      }
      if (text.indexOf('\r') !== -1) {
        endedWithReturn = text.charCodeAt(text.length - 1) === 13
        text = text.replace(/\r\n?/g, '\n')
      }
      let start = 0
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
        if (pending === '') finish(start === 0 && end === text.length ? text : text.slice(start, end))
        else {
          const whole = pending + text.slice(start, end)
          pending = ''
          finish(whole)
        }
        start = end + 1
      }
      keep(start === 0 ? text : text.slice(start))
      lines.isIdle = pending === '' && !endedWithReturn && !isPassingOver
    },
    end() {
      const rest = pending
      pending = ''
      if (rest !== '') finish(rest)
    },
  }
  return lines
}
