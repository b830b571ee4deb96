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

/** The content of a tokenizer.json, in the manner of T5's. */
const fileOf = (pieces: readonly (readonly [string, number])[]): Record<string, unknown> => ({
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
    vocab: [...SPECIAL.map((token) => [token, 0]), ...pieces],
  },
})

/** Trains a vocabulary on words, cut as the tokenizer will cut them. */
function learn(words: ReadonlyMap<string, number>, { vocabularySize }: Options, report?: ReportProgress) {
  const size = vocabularySize - SPECIAL.length
  const special = new Set<string>(SPECIAL)
  const pieces = trainUnigram(words, { vocabularySize: size, alphabetSize: ALPHABET, report })
  return { json: fileOf(pieces.filter(([piece]) => !special.has(piece))) }
}

/**
 * Unigram: each piece has a probability, and a word is cut in the way whose pieces have the greatest product. What no piece
 * spells is unknown.
 *
 * Near neighbour: byte-pair encoding, which joins pieces in the order in which it learned to.
 */
export const unigram = definePlugin({
  kind: TOKENIZER,
  name: 'unigram',
  summary: 'The most probable way to cut words into pieces, as in T5 and XLM-R',
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
export default unigram
