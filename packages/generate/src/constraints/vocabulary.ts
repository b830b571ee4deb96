import { AttuneError, type Tokenizer, excerpt } from '@attune/core'
import { LAST_TOKEN_ID } from '../options.js'
import { tokenTexts } from './token-bytes.js'
import { type TokenTrie, tokenTrie } from './token-trie.js'

/** What a text under a constraint is written with. */
export interface Vocabulary {
  readonly trie: TokenTrie
  /** What each token adds to a text; nothing for those that end it. */
  readonly texts: readonly (Uint8Array | undefined)[]
  /** The tokens that end a text. */
  readonly ends: readonly number[]
  /** Whether the first token brings a space along that is not meant. */
  readonly leadingSpace: boolean
}

/**
 * The vocabulary of a tokenizer, of which some tokens end a text.
 * @throws AttuneError `BAD_ARGUMENT` without a token that ends a text; `UNKNOWN_DECODER`
 */
export function vocabularyOf(tokenizer: Tokenizer, endIds: Iterable<number>): Vocabulary {
  const ends = [...new Set(endIds)]
  if (ends.length === 0 || ends.some((id) => !Number.isInteger(id) || id < 0 || id > LAST_TOKEN_ID))
    throw new AttuneError(
      'BAD_ARGUMENT',
      `a constraint needs the ids of tokens that end a text, from 0 to ${LAST_TOKEN_ID}, got ${excerpt(ends)}`,
      'Pass at least one: `[tokenizer.special.end]`, or what `endTokens(parts)` gives.',
    )
  const { bytes, leadingSpace } = tokenTexts(tokenizer)
  const isEnd = new Set(ends)
  const texts = bytes.map((text, id) => (isEnd.has(id) ? undefined : text))
  return { trie: tokenTrie(texts), texts, ends, leadingSpace }
}
