import type { Metadata, Refuse, Sections } from './metadata.js'
import { PRE_TOKENIZERS, type PreTokenizer } from './pre-tokenizers.js'

/** The pre-tokenizer that a file names. */
export function preTokenizerIn(metadata: Metadata, refuse: Refuse): PreTokenizer {
  const name = metadata['tokenizer.ggml.pre'] ?? 'default'
  return PRE_TOKENIZERS.get(name) ?? refuse(`unknown pre-tokenizer ${JSON.stringify(name.slice(0, 80))}`)
}

/** Sections of a byte-level BPE tokenizer. */
export function byteLevelSections(metadata: Metadata, refuse: Refuse): Sections {
  const { steps, normalizer, wholeWords = false, begins = false } = preTokenizerIn(metadata, refuse)
  return {
    normalizer: normalizer ?? null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: steps },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', ignore_merges: wholeWords, merges: metadata['tokenizer.ggml.merges'] ?? [] },
    begins,
    ends: false,
  }
}
