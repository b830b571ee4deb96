import type { Tokenizer } from '@attune/core'

/** Marks of a token that continues a word, or of one that starts a word, by which vocabularies divide words into subwords. */
const CONTINUES = '##'
const STARTS = ['▁', 'Ġ']

/** True for the token of an id that continues the word before it. A vocabulary without marks has one token per word. */
function continuation(tokenizer: Tokenizer): (id: number) => boolean {
  const all = Array.from({ length: tokenizer.vocabularySize }, (_, id) => tokenizer.token(id) ?? '')
  const continues = all.some((token) => token.startsWith(CONTINUES))
  const mark = continues ? undefined : STARTS.find((each) => all.some((token) => token.startsWith(each)))
  if (mark !== undefined) return (id) => !(tokenizer.token(id) ?? '').startsWith(mark)
  return (id) => (tokenizer.token(id) ?? '').startsWith(CONTINUES)
}

/**
 * Positions of the words of encoded texts, as runs of positions; or of single tokens, if `whole` is false. Special tokens are excluded, but
 * not the unknown token. Subwords are recognized by the marks of the vocabulary: `##` (WordPiece), `▁` (SentencePiece) or `Ġ` (byte-level).
 * @returns a function of the ids of a text
 */
export function wordUnits(tokenizer: Tokenizer, whole: boolean): (ids: readonly number[]) => number[][] {
  const special = new Set(Object.values(tokenizer.special).filter((id) => id !== tokenizer.special.unknown))
  const continues = whole ? continuation(tokenizer) : () => false
  return (ids) => {
    const units: number[][] = []
    let open = false
    for (const [position, id] of ids.entries()) {
      const plain = !special.has(id)
      if (plain && open && continues(id)) units.at(-1)!.push(position)
      else if (plain) units.push([position])
      open = plain
    }
    return units
  }
}

/** Part of `units` that are chosen in order while they fit into `budget` tokens; one that does not fit is skipped. */
export function withinBudget(units: Iterable<readonly number[]>, budget: number): number[] {
  const chosen: number[] = []
  for (const unit of units) if (chosen.length + unit.length <= budget) chosen.push(...unit)
  return chosen
}
