import type { Tokenizer } from '@attune/core'
import { spellingOf } from './spelling.js'

interface AddedToken {
  readonly id: number
  readonly special?: boolean
}

/** The ids that stand for no text: padding, beginnings, ends and their like. */
function silent(tokenizer: Tokenizer): ReadonlySet<number> {
  const file = tokenizer.files()['tokenizer.json'] as { readonly added_tokens?: readonly AddedToken[] } | undefined
  const added = (file?.added_tokens ?? []).filter(({ special }) => special === true).map(({ id }) => id)
  return new Set([...added, ...Object.values(tokenizer.special as Record<string, number | undefined>)] as number[])
}

/** What each token of a vocabulary adds to a text. */
export interface TokenTexts {
  /** By id, in UTF-8; `undefined` for tokens that stand for no text. */
  readonly bytes: readonly (Uint8Array | undefined)[]
  /** Whether the first token brings a space along that is not meant. */
  readonly leadingSpace: boolean
}

/**
 * What the tokens add, and whether the first of them brings a space.
 * @throws AttuneError `UNKNOWN_DECODER`
 */
export function tokenTexts(tokenizer: Tokenizer): TokenTexts {
  const tokens = Array.from({ length: tokenizer.vocabularySize }, (_, id) => tokenizer.token(id))
  const { bytes, leadingSpace } = spellingOf(tokenizer, tokens)
  const special = silent(tokenizer)
  return {
    bytes: tokens.map((token, id) => (token === undefined || special.has(id) ? undefined : bytes(token))),
    leadingSpace,
  }
}

/**
 * The bytes, in UTF-8, that each token adds to a text in whose middle it stands, by id; `undefined` for special tokens, which
 * add nothing. A token may be a part of a character.
 * @throws AttuneError `UNKNOWN_DECODER` if the tokenizer's file names a decoder that is not known
 */
export const tokenBytes = (tokenizer: Tokenizer): readonly (Uint8Array | undefined)[] => tokenTexts(tokenizer).bytes
