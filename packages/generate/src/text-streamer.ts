import type { Tokenizer } from '@attune/core'
import { hiddenTokens, wholeText } from './hidden-tokens.js'

/** Replacement character that a decoder returns for an incomplete UTF-8 sequence. */
const INCOMPLETE = '\ufffd'

/** Index of the first stop sequence in `text`, or −1. */
function firstStop(text: string, stops: readonly string[]): number {
  const indices = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0)
  return indices.length === 0 ? -1 : Math.min(...indices)
}

/** Length of the longest suffix of `text` that may be the start of a stop sequence. */
function heldBack(text: string, stops: readonly string[]): number {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1))
  for (let length = Math.min(longest, text.length); length > 0; length--)
    if (stops.some((stop) => stop.startsWith(text.slice(-length)))) return length
  return 0
}

/** Incremental detokenization of a sequence being generated. */
export interface TextStreamer {
  /** Takes all generated tokens, one more each time. Returns the new text, and true if a stop sequence was found. */
  add(generated: readonly number[]): { readonly text: string; readonly stopped: boolean }
  /** Returns the text that was held back, and the complete text. */
  finish(generated: readonly number[]): { readonly text: string; readonly fullText: string }
}

/**
 * Detokenizes a generated sequence incrementally, in the context of its prompt: the text of a token depends on the tokens before
 * it. Text once returned is never retracted: an incomplete character is held back until it is complete, and a possible start of
 * a stop sequence until the next text decides. Special tokens are not part of the returned text, but stop sequences may contain them.
 */
export function textStreamer(tokenizer: Tokenizer, prompt: readonly number[], stops: readonly string[]): TextStreamer {
  // The last few prompt tokens are enough context for spacing between words, and cheap to decode each time.
  const context = prompt.slice(-8)
  const before = tokenizer.decode(context)
  let emitted = ''
  const textOf = (generated: readonly number[]): string => {
    const fullText = tokenizer.decode([...context, ...generated])
    return fullText.startsWith(before) ? fullText.slice(before.length) : tokenizer.decode(generated)
  }
  const hidden = hiddenTokens(tokenizer, textOf)
  /** The visible text, and the text in which stop sequences are searched. */
  const read = (generated: readonly number[]) => {
    const text = textOf(generated)
    const whole = wholeText(text, stops.length === 0 ? [] : hidden(generated))
    const stop = firstStop(whole.text, stops)
    return { text, whole, stop: stop < 0 ? -1 : whole.visible(stop) }
  }
  const emit = (text: string): string => {
    const fresh = text.startsWith(emitted) ? text.slice(emitted.length) : ''
    emitted += fresh
    return fresh
  }
  return {
    add(generated) {
      const { text, whole, stop } = read(generated)
      if (stop >= 0) return { text: emit(text.slice(0, stop)), stopped: true }
      if (text.endsWith(INCOMPLETE)) return { text: '', stopped: false }
      const held = whole.visible(whole.text.length - heldBack(whole.text, stops))
      return { text: emit(text.slice(0, held)), stopped: false }
    },
    finish(generated) {
      const { text, stop } = read(generated)
      const fullText = stop >= 0 ? text.slice(0, stop) : text
      return { text: emit(fullText), fullText }
    },
  }
}
