import type { Tokenizer } from '@attune/core'

/** A special token in a generated sequence: its text, and the length of the visible text before it. */
export interface HiddenToken {
  readonly content: string
  readonly at: number
}

/**
 * Creates a function that finds the special tokens of a growing sequence, which decoding omits.
 * @param textOf decodes a sequence without its special tokens
 */
export function hiddenTokens(
  { decode, token }: Tokenizer,
  textOf: (generated: readonly number[]) => string,
): (generated: readonly number[]) => readonly HiddenToken[] {
  const contents = new Map<number, string>()
  const contentOf = (id: number): string => {
    const known = contents.get(id) ?? (decode([id]) === '' ? (token(id) ?? '') : '')
    contents.set(id, known)
    return known
  }
  const found: HiddenToken[] = []
  let seen = 0
  return (generated) => {
    for (; seen < generated.length; seen++) {
      const content = contentOf(generated[seen]!)
      if (content === '') continue
      const before = textOf(generated.slice(0, seen))
      // Other tokens without a text of their own (a space that is stripped at the start) have one in context.
      if (textOf(generated.slice(0, seen + 1)) === before) found.push({ content, at: before.length })
    }
    return found
  }
}

/** A text that includes special tokens. */
export interface WholeText {
  readonly text: string
  /** Returns the length of the visible text before an index of the whole text. */
  visible(index: number): number
}

/** Inserts special tokens into a visible text. */
export function wholeText(text: string, hidden: readonly HiddenToken[]): WholeText {
  if (hidden.length === 0) return { text, visible: (index) => index }
  const starts: number[] = []
  const parts: string[] = []
  let [length, from] = [0, 0]
  for (const { content, at } of hidden) {
    parts.push(text.slice(from, at), content)
    length += Math.max(0, Math.min(at, text.length) - from)
    starts.push(length)
    length += content.length
    from = at
  }
  return {
    text: parts.join('') + text.slice(from),
    visible: (index) =>
      index -
      hidden.reduce((sum, { content }, i) => sum + Math.min(Math.max(index - starts[i]!, 0), content.length), 0),
  }
}
