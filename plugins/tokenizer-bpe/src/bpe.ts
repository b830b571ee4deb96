import { type ReportProgress, TOKENIZER, definePlugin } from '@attune/core'
import {
  addedTokens,
  fitOnWords,
  mergeFrequency,
  learningOptions,
  vocabularySize,
  tokenizerConfig,
  tokenizerOf,
  trainBpe,
  vocabularyOf,
} from '@attune/text'
import { z } from 'zod'

const END = '<|endoftext|>'

const options = z.strictObject({
  ...learningOptions,
  config: tokenizerConfig,
  vocabularySize: vocabularySize(257),
  minimumFrequency: mergeFrequency,
})
type Options = z.output<typeof options>

/** Content of a tokenizer.json, byte-level as in GPT-2. */
const fileOf = (tokens: readonly string[], merges: readonly (readonly string[])[]): Record<string, unknown> => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: addedTokens([END]),
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: true },
  decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  model: { type: 'BPE', vocab: vocabularyOf(tokens), merges },
})

/** Trains a vocabulary on words, pre-tokenized as in GPT-2. */
function learn(
  words: ReadonlyMap<string, number>,
  { vocabularySize, minimumFrequency }: Options,
  report?: ReportProgress,
) {
  const { tokens, merges } = trainBpe(words, { vocabularySize, minimumFrequency, specialTokens: [END], report })
  const config = { tokenizer_class: 'PreTrainedTokenizerFast', bos_token: END, eos_token: END, pad_token: END }
  return { json: fileOf(tokens, merges), config }
}

/**
 * Byte-pair encoding (BPE): a text is split into words, and the bytes (or characters) of each word are merged, pair by pair, in the order
 * in which the merges were learned. With an alphabet of all bytes, no text is unknown.
 *
 * Near neighbour: WordPiece takes the longest subword in the vocabulary, from the left.
 */
export const bpe = definePlugin({
  kind: TOKENIZER,
  name: 'bpe',
  summary: 'Byte-pair encoding (BPE), as in GPT-2 and Llama',
  source: 'Sennrich, Haddow and Birch, Neural Machine Translation of Rare Words with Subword Units, 2016, section 3.2',
  options,
  fit: fitOnWords({ name: 'bpe', file: () => fileOf([], []), learn }),
  create: (given) => tokenizerOf(given, { name: 'bpe', type: 'BPE' }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'tokenizer bpe': typeof bpe
  }
}

export default bpe
