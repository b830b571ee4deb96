import { AttuneError, type Tokenizer, excerpt } from '@attune/core'
import { LAST_TOKEN_ID } from '../options.js'
import { tokenTexts } from './token-bytes.js'
import { type TokenTrie, tokenTrie } from './token-trie.js'

/** Tokens that a constraint generates with. */
export interface Vocabulary {
  readonly trie: TokenTrie
  /** UTF-8 bytes that each token adds to a text; `undefined` for end and special tokens. */
  readonly texts: readonly (Uint8Array | undefined)[]
  /** End-of-sequence (EOS) tokens. */
  readonly ends: readonly number[]
  /** True if the vocabulary puts a space before the first token that is not part of the text. */
  readonly leadingSpace: boolean
}

function readVocabulary(tokenizer: Tokenizer, ends: readonly number[]): Vocabulary {
  const { bytes, leadingSpace } = tokenTexts(tokenizer)
  const isEnd = new Set(ends)
  const texts = bytes.map((text, id) => (isEnd.has(id) ? undefined : text))
  return { trie: tokenTrie(texts), texts, ends, leadingSpace }
}

/** Reads the vocabulary of a tokenizer once for the same end tokens; a tokenizer that gains tokens is read again. */
function vocabularyReader() {
  const known = new WeakMap<Tokenizer, { readonly size: number; readonly byEnds: Map<string, Vocabulary> }>()
  return (tokenizer: Tokenizer, ends: readonly number[]): Vocabulary => {
    const size = tokenizer.vocabularySize
    let own = known.get(tokenizer)
    if (own?.size !== size) known.set(tokenizer, (own = { size, byEnds: new Map() }))
    const vocabulary = own.byEnds.get(ends.join()) ?? readVocabulary(tokenizer, ends)
    own.byEnds.set(ends.join(), vocabulary)
    return vocabulary
  }
}

const knownVocabulary = vocabularyReader()

/**
 * Returns the vocabulary of a tokenizer, read once, with `endIds` as its end-of-sequence tokens.
 * @throws AttuneError `BAD_ARGUMENT` for ids that no vocabulary has; `UNKNOWN_DECODER`
 */
export function vocabularyOf(tokenizer: Tokenizer, endIds: Iterable<number>): Vocabulary {
  const ends = [...new Set(endIds)]
  if (ends.some((id) => !Number.isInteger(id) || id < 0 || id > LAST_TOKEN_ID))
    throw new AttuneError(
      'BAD_ARGUMENT',
      `expected end-of-sequence token ids from 0 to ${LAST_TOKEN_ID}, got ${excerpt(ends)}`,
      'Pass `[tokenizer.special.end]` or the result of `endTokens(components)`.',
    )
  return knownVocabulary(tokenizer, ends)
}
