/** Longest n-gram that is looked up. */
const MAX_NGRAM = 3

/** End index of the latest earlier occurrence of the last `size` tokens, or −1. */
function latestMatch(text: readonly number[], size: number): number {
  const begin = text.length - size
  for (let end = text.length - 1; end >= size; end--) {
    let same = 0
    while (same < size && text[end - size + same] === text[begin + same]) same++
    if (same === size) return end
  }
  return -1
}

/**
 * Prompt-lookup decoding: drafts the next tokens of a sequence of at least one token. The draft is what followed the latest earlier
 * occurrence of the last three tokens, else two, else one. A draft that reaches the end of the sequence starts over. Without a
 * match, the last token is repeated: a wrong draft costs no more than a step without one, and only one program is compiled.
 * Source: Saxena, Prompt Lookup Decoding, 2023; a form of Leviathan et al., Fast Inference from Transformers via Speculative
 * Decoding, 2023, section 2, with the sequence itself as the draft model.
 */
export function promptLookup(text: readonly number[], count: number): readonly number[] {
  let from = -1
  for (let size = Math.min(MAX_NGRAM, text.length - 1); from < 0; size--) from = latestMatch(text, size)
  return Array.from({ length: count }, (_, i) => text[from + (i % (text.length - from))]!)
}
