import type { Tokenizer } from '@attune/core'
import { spellingOf } from './spelling.js'

interface AddedToken {
  readonly id: number
  readonly special?: boolean
}

/** Ids of special tokens (padding, start, end and the like), which have no text. */
function specialIds(tokenizer: Tokenizer): ReadonlySet<number> {
  const file = tokenizer.files()['tokenizer.json'] as { readonly added_tokens?: readonly AddedToken[] } | undefined
  const added = (file?.added_tokens ?? []).filter(({ special }) => special === true).map(({ id }) => id)
  return new Set([...added, ...Object.values(tokenizer.special as Record<string, number | undefined>)] as number[])
}

/** Text of each token of a vocabulary. */
export interface TokenTexts {
  /** UTF-8 bytes by id; `undefined` for special tokens. */
  readonly bytes: readonly (Uint8Array | undefined)[]
  /** True if the vocabulary puts a space before the first token that is not part of the text. */
  readonly leadingSpace: boolean
}

/**
 * Returns the text of each token as it appears in the middle of a text.
 * @throws AttuneError `UNKNOWN_DECODER`
 */
export function tokenTexts(tokenizer: Tokenizer): TokenTexts {
  const tokens = Array.from({ length: tokenizer.vocabularySize }, (_, id) => tokenizer.token(id))
  const { bytes, leadingSpace } = spellingOf(tokenizer, tokens)
  const special = specialIds(tokenizer)
  return {
    bytes: tokens.map((token, id) => (token === undefined || special.has(id) ? undefined : bytes(token))),
    leadingSpace,
  }
}

/**
 * UTF-8 bytes that each token adds in the middle of a text, by id; `undefined` for special tokens, which add nothing. A token may
 * be part of a character.
 * @throws AttuneError `UNKNOWN_DECODER` if the tokenizer file names an unsupported decoder
 */
export const tokenBytes = (tokenizer: Tokenizer): readonly (Uint8Array | undefined)[] => tokenTexts(tokenizer).bytes
