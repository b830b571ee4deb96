import { type AttuneError, type Budget, createBudget } from '@attune/core'
import type { Metadata, Sections } from './metadata.js'

/** Limits for the derived merges, whose text is many times the size of the vocabulary. */
const MERGE_LIMITS = { bytes: 32_000_000, bytesPerByte: 64 }
/** Bytes per merge without its text, and per token. */
const [BYTES_PER_MERGE, BYTES_PER_TOKEN] = [100, 8]

/**
 * Derives merges from a vocabulary with scores: every split of a token into two others, highest score first. SentencePiece
 * stores scores and no merges; in its BPE models scores decrease in the order in which tokens were learned.
 */
function mergesOf(tokens: readonly string[], scores: readonly number[], budget: Budget): string[][] {
  const ids = new Map(tokens.map((token, at) => [token, at]))
  const found: { readonly pair: string[]; readonly score: number }[] = []
  for (const [id, token] of tokens.entries()) {
    const ways: (readonly [left: number, right: number])[] = []
    budget.spend(token.length ** 2)
    for (let at = 1; at < token.length; at++) {
      const [left, right] = [ids.get(token.slice(0, at)), ids.get(token.slice(at))]
      if (left !== undefined && right !== undefined) ways.push([left, right])
    }
    budget.hold((BYTES_PER_MERGE + token.length) * ways.length)
    ways.sort(([a, b], [c, d]) => a - c || b - d)
    for (const [left, right] of ways) found.push({ pair: [tokens[left]!, tokens[right]!], score: scores[id] ?? 0 })
  }
  return found.sort((a, b) => b.score - a.score).map(({ pair }) => pair)
}

/** Replaces spaces by the mark of SentencePiece. */
const MARK_SPACES = { type: 'Replace', pattern: { String: ' ' }, content: '▁' }

const decoderOf = (prefix: boolean): object => ({
  type: 'Sequence',
  decoders: [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    ...(prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
  ],
})

const modelOf = (metadata: Metadata, merges: readonly unknown[]): object => ({
  type: 'BPE',
  byte_fallback: true,
  fuse_unk: true,
  unk_token: metadata['tokenizer.ggml.tokens'][metadata['tokenizer.ggml.unknown_token_id'] ?? 0],
  merges,
})

/** Position of the added space: before each text between special tokens, or before the first one if it does not begin with a space. */
export type SpaceBefore = 'each' | 'first'

/**
 * Sections of a BPE tokenizer of SentencePiece, as in Llama 2. SentencePiece adds a space before a text even if it begins with one.
 * The tokenizer class of Llama in transformers does not.
 */
export function sentencePieceSections(
  metadata: Metadata,
  error: (why: string) => AttuneError,
  spaceBefore: SpaceBefore,
): Sections {
  const prefix = metadata['tokenizer.ggml.add_space_prefix'] !== false
  const tokens = metadata['tokenizer.ggml.tokens']
  const size = tokens.reduce((sum, token) => sum + BYTES_PER_TOKEN + token.length, 0)
  const budget = createBudget(size, (why) => error(`its tokens can be merged in too many ways: ${why}`), MERGE_LIMITS)
  const normalizers = [...(prefix ? [{ type: 'Prepend', prepend: '▁' }] : []), MARK_SPACES]
  const scheme = prefix ? 'first' : 'never'
  return {
    ...(spaceBefore === 'each'
      ? { normalizer: { type: 'Sequence', normalizers }, pre_tokenizer: null }
      : {
          normalizer: null,
          pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: scheme, split: false },
        }),
    decoder: decoderOf(prefix),
    model: modelOf(metadata, mergesOf(tokens, metadata['tokenizer.ggml.scores'] ?? [], budget)),
    begins: true,
    ends: false,
  }
}

/**
 * Sections of a BPE tokenizer with its own merges that spells spaces as `▁`, as in Gemma 4, whose chat template adds the
 * BOS token.
 */
export const spaceMarkedSections = (metadata: Metadata): Sections => ({
  normalizer: MARK_SPACES,
  pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false },
  decoder: decoderOf(false),
  model: modelOf(metadata, metadata['tokenizer.ggml.merges'] ?? []),
  begins: false,
  ends: false,
})
