import { type Metadata, type Sections, TOKEN_TYPE } from './metadata.js'

/** Number of sentinel tokens of T5, which its files call `[PAD32000]` and so on. */
const SENTINELS = 100

/** Tokens of a unigram tokenizer, with the names of T5's sentinel tokens. */
export function unigramTokens(metadata: Metadata): readonly string[] {
  const tokens = [...metadata['tokenizer.ggml.tokens']]
  if (!/^t5/.test(metadata['general.architecture'] ?? '')) return tokens
  const unnamed = [...tokens.keys()].filter((at) => /^\[PAD\d+\]$/.test(tokens[at]!))
  for (const [count, at] of unnamed.slice(0, SENTINELS).entries()) tokens[at] = `<extra_id_${SENTINELS - 1 - count}>`
  return tokens
}

/** Base64 of bytes, which a file may store as signed numbers. */
function base64Of(bytes: readonly number[]): string {
  const characters: string[] = []
  for (const byte of bytes) characters.push(String.fromCharCode(byte & 255))
  return btoa(characters.join(''))
}

/** Tokens with their scores. Other tokens than normal ones do not lower the score of an unknown character. */
function scored(metadata: Metadata, tokens: readonly string[]): readonly (readonly [string, number])[] {
  const { 'tokenizer.ggml.scores': scores = [], 'tokenizer.ggml.token_type': types = [] } = metadata
  const isNormal = (at: number): boolean => (types[at] ?? TOKEN_TYPE.normal) === TOKEN_TYPE.normal
  const minimum = tokens.reduce((lowest, _, at) => (isNormal(at) ? Math.min(lowest, scores[at] ?? 0) : lowest), 0)
  return tokens.map((token, at) => {
    if (types[at] === TOKEN_TYPE.userDefined) return [token, 0]
    return [token, Math.max(minimum, scores[at] ?? 0)]
  })
}

const METASPACE = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true }

/** Sections of a unigram tokenizer of SentencePiece, as in T5. */
export function unigramSections(metadata: Metadata, tokens: readonly string[]): Sections {
  const { 'tokenizer.ggml.precompiled_charsmap': rules = [], 'tokenizer.ggml.unknown_token_id': unknown = 2 } = metadata
  const prefix = metadata['tokenizer.ggml.add_space_prefix'] !== false
  const merges = metadata['tokenizer.ggml.remove_extra_whitespaces'] === true
  const marks = [
    ...(prefix ? [{ type: 'Prepend', prepend: '▁' }] : []),
    { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
  ]
  const normalizers = [
    ...(rules.length === 0 ? [] : [{ type: 'Precompiled', precompiled_charsmap: base64Of(rules) }]),
    ...(merges ? [] : marks),
  ]
  return {
    normalizer: normalizers.length === 0 ? null : { type: 'Sequence', normalizers },
    pre_tokenizer: merges ? { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, METASPACE] } : null,
    decoder: METASPACE,
    model: { type: 'Unigram', unk_id: unknown, vocab: scored(metadata, tokens), byte_fallback: false },
    begins: false,
    ends: true,
  }
}
