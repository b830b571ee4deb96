import { type ReportProgress, TOKENIZER, definePlugin } from '@attune/core'
import {
  addedTokens,
  fitOnWords,
  learningOptions,
  vocabularySize,
  templateStep,
  tokenizerConfig,
  tokenizerOf,
  trainUnigram,
} from '@attune/text'
import { z } from 'zod'

const SPECIAL = ['<pad>', '</s>', '<unk>', '<s>', '<mask>'] as const
const ALPHABET = 1000

const options = z.strictObject({
  ...learningOptions,
  config: tokenizerConfig,
  vocabularySize: vocabularySize(100),
})
type Options = z.output<typeof options>

/** Content of a tokenizer.json, as in T5. */
const fileOf = (subwords: readonly (readonly [string, number])[]): Record<string, unknown> => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: addedTokens(SPECIAL),
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'NFKC' },
      { type: 'Strip', strip_left: false, strip_right: true },
      { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
    ],
  },
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  post_processor: templateStep('$A </s>', '$A </s> $B </s>', SPECIAL),
  decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  model: {
    type: 'Unigram',
    unk_id: SPECIAL.indexOf('<unk>'),
    byte_fallback: false,
    vocab: [...SPECIAL.map((token) => [token, 0]), ...subwords],
  },
})

/** Trains a vocabulary on words, pre-tokenized as the tokenizer does. */
function learn(words: ReadonlyMap<string, number>, { vocabularySize }: Options, report?: ReportProgress) {
  const size = vocabularySize - SPECIAL.length
  const special = new Set<string>(SPECIAL)
  const subwords = trainUnigram(words, { vocabularySize: size, alphabetSize: ALPHABET, report })
  return { json: fileOf(subwords.filter(([subword]) => !special.has(subword))) }
}

/**
 * Unigram language model (SentencePiece): each subword has a probability, and a word is segmented into the most probable sequence of
 * subwords. Characters that no subword covers are unknown.
 *
 * Near neighbour: byte-pair encoding, which merges subwords in the order in which it learned the merges.
 */
export const unigram = definePlugin({
  kind: TOKENIZER,
  name: 'unigram',
  summary: 'Unigram subword tokenizer (SentencePiece), as in T5 and XLM-R',
  source: 'Kudo, Subword Regularization, 2018, section 3.2',
  options,
  fit: fitOnWords({ name: 'unigram', file: () => fileOf([]), learn }),
  create: (given) =>
    tokenizerOf(given, {
      name: 'unigram',
      type: 'Unigram',
      config: () => ({
        tokenizer_class: 'PreTrainedTokenizerFast',
        pad_token: '<pad>',
        eos_token: '</s>',
        unk_token: '<unk>',
        bos_token: '<s>',
        mask_token: '<mask>',
      }),
    }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'tokenizer unigram': typeof unigram
  }
}

export default unigram
