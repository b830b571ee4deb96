/** Sequences of at most so many tokens are looked for. */
const LONGEST = 3

/** Where the last `size` tokens of a text stand in it before, at the latest place: the index behind them, or −1. */
function latestBefore(text: readonly number[], size: number): number {
  const begin = text.length - size
  for (let end = text.length - 1; end >= size; end--) {
    let same = 0
    while (same < size && text[end - size + same] === text[begin + same]) same++
    if (same === size) return end
  }
  return -1
}

/**
 * Guesses how a text of one token or more goes on: as it went on where its last three tokens, or two, or one, stood before, at
 * the latest such place. Where that reaches the end of the text, it begins again. A token that is new is guessed to be repeated:
 * guesses that are wrong cost as much as none, where runs for one token and for several are not both to be held compiled.
 * Source: Saxena, Prompt Lookup Decoding, 2023; a form of Leviathan et al., Fast Inference from Transformers via Speculative
 * Decoding, 2023, section 2, with a text itself for the smaller model.
 */
export function promptLookup(text: readonly number[], count: number): readonly number[] {
  let from = -1
  for (let size = Math.min(LONGEST, text.length - 1); from < 0; size--) from = latestBefore(text, size)
  return Array.from({ length: count }, (_, i) => text[from + (i % (text.length - from))]!)
}
