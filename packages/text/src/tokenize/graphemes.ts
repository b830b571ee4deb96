// eslint-disable-next-line no-control-regex -- ASCII by definition
const ASCII = /^[\x00-\x7f]*$/
const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' })
/** Initial window of the segmenter in units; it copies its input for each grapheme. */
const WINDOW = 256

/** Calls back with the graphemes of an ASCII text: its characters, with CR LF as one. */
function ofAscii(text: string, found: (grapheme: string) => void): void {
  for (let at = 0; at < text.length; at++) {
    const isLineEnd = text[at] === '\r' && text[at + 1] === '\n'
    found(isLineEnd ? '\r\n' : text[at]!)
    if (isLineEnd) at++
  }
}

/** The end of a window that does not split a surrogate pair. */
function windowEnd(text: string, at: number, size: number): number {
  const end = Math.min(text.length, at + size)
  return end < text.length && (text.charCodeAt(end) & 0xfc00) === 0xdc00 ? end - 1 : end
}

/**
 * Calls back with the graphemes of a text, in time proportional to its length. A boundary depends on the preceding text and on
 * the next character. In a window that begins at a boundary, all graphemes but the last are therefore final.
 */
export function eachGrapheme(text: string, found: (grapheme: string) => void): void {
  if (ASCII.test(text)) return ofAscii(text, found)
  let size = WINDOW
  for (let at = 0; at < text.length;) {
    const end = windowEnd(text, at, size)
    let pending = ''
    for (const { segment } of segmenter.segment(text.slice(at, end))) {
      if (pending !== '') {
        found(pending)
        at += pending.length
      }
      pending = segment
    }
    if (end === text.length) {
      found(pending)
      return
    }
    // A grapheme that fills the window continues after it.
    size = pending.length === end - at && pending.length >= size - 1 ? 2 * size : WINDOW
  }
}
