import { wordPieceParts } from '../word-piece-parts.js'
import { type Metadata, type Sections, TOKEN_TYPE } from './metadata.js'

/**
 * Tokens of a WordPiece tokenizer as BERT spells them. GGUF files mark the beginning of a word with `▁` instead of its continuation
 * with `##`.
 */
export function wordPieceTokens(metadata: Metadata): readonly string[] {
  const types = metadata['tokenizer.ggml.token_type'] ?? []
  return metadata['tokenizer.ggml.tokens'].map((token, at) => {
    if (types[at] === TOKEN_TYPE.control || /^\[.+\]$/.test(token)) return token
    return token.startsWith('▁') && token.length > 1 ? token.slice(1) : `##${token}`
  })
}

/** Sections of a WordPiece tokenizer, as in BERT. */
export function wordPieceSections(metadata: Metadata, tokens: readonly string[]): Sections {
  const unknown = tokens[metadata['tokenizer.ggml.unknown_token_id'] ?? -1] ?? '[UNK]'
  const { preTokenizer, ...parts } = wordPieceParts(unknown, {
    lowercase: metadata['tokenizer.ggml.normalizer.lowercase'] ?? true,
    ideographs: true,
    accents: metadata['tokenizer.ggml.normalizer.strip_accents'] ?? null,
  })
  return {
    ...parts,
    pre_tokenizer: preTokenizer,
    begins: true,
    ends: true,
  }
}
