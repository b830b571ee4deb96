import type { Tokenizer } from '@attune/core'

/** What a decoder gives for bytes that are not yet a whole character. */
const UNFINISHED = '\ufffd'

/** Where the first stop text begins in `text`, or −1. */
function firstStop(text: string, stops: readonly string[]): number {
  const places = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0)
  return places.length === 0 ? -1 : Math.min(...places)
}

/** How much of the end of `text` may be the beginning of a stop text. */
function held(text: string, stops: readonly string[]): number {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1))
  for (let length = Math.min(longest, text.length); length > 0; length--)
    if (stops.some((stop) => stop.startsWith(text.slice(-length)))) return length
  return 0
}

/** A text as it grows. */
export interface GrowingText {
  /** Takes the tokens written so far, one more each time. Gives what is new, and whether a stop text was met. */
  add(written: readonly number[]): { readonly text: string; readonly stopped: boolean }
  /** What was held back, now that nothing follows; and the whole text. */
  finish(written: readonly number[]): { readonly text: string; readonly whole: string }
}

/**
 * The text of tokens as they are written after a prompt. A token alone has no text: with what stands before it, it has. What
 * is given out is never taken back: an unfinished character waits for its end, and what may be the beginning of a stop text
 * for what follows.
 */
export function growingText(tokenizer: Tokenizer, prompt: readonly number[], stops: readonly string[]): GrowingText {
  // A few tokens before are enough for the joining of words, and decoding them each time costs nothing.
  const context = prompt.slice(-8)
  const before = tokenizer.decode(context)
  let given = ''
  const textOf = (written: readonly number[]): string => {
    const whole = tokenizer.decode([...context, ...written])
    return whole.startsWith(before) ? whole.slice(before.length) : tokenizer.decode(written)
  }
  const give = (text: string): string => {
    const fresh = text.startsWith(given) ? text.slice(given.length) : ''
    given += fresh
    return fresh
  }
  return {
    add(written) {
      const text = textOf(written)
      const stop = firstStop(text, stops)
      if (stop >= 0) return { text: give(text.slice(0, stop)), stopped: true }
      if (text.endsWith(UNFINISHED)) return { text: '', stopped: false }
      return { text: give(text.slice(0, text.length - held(text, stops))), stopped: false }
    },
    finish(written) {
      const text = textOf(written)
      const stop = firstStop(text, stops)
      const whole = stop >= 0 ? text.slice(0, stop) : text
      return { text: give(whole), whole }
    },
  }
}
