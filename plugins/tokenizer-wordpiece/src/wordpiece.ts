import { type ReportProgress, TOKENIZER, type Tokenizer, definePlugin } from '@attune/core'
import {
  BERT_SPECIAL_TOKENS,
  BERT_TOKENS,
  fitOnWords,
  mergeFrequency,
  learningOptions,
  vocabularySize,
  tokenizerOf,
  trainWordPiece,
} from '@attune/text'
import { z } from 'zod'
import { makeTokenizerFile } from './tokenizer-file.js'

const ALPHABET = 1000

const options = z.strictObject({
  ...learningOptions,
  vocabularySize: vocabularySize(100),
  minimumFrequency: mergeFrequency,
  lowercase: z.boolean().default(true).describe('Train a tokenizer that lowercases and strips accents'),
})

type Options = z.output<typeof options>

/** Trains a vocabulary on words, pre-tokenized as the tokenizer does. */
function learn(words: ReadonlyMap<string, number>, o: Options, report?: ReportProgress) {
  const { vocabularySize, minimumFrequency, lowercase } = o
  const training = { vocabularySize, minimumFrequency, specialTokens: BERT_TOKENS, alphabetSize: ALPHABET, report }
  return { json: makeTokenizerFile(trainWordPiece(words, training), lowercase) }
}

const create = (given: Options): Tokenizer =>
  tokenizerOf(given, {
    name: 'wordpiece',
    type: 'WordPiece',
    cleanUp: true,
    config: ({ model, normalizer }) => ({
      tokenizer_class: 'BertTokenizer',
      do_lower_case: normalizer?.type === 'BertNormalizer' && normalizer.lowercase,
      ...BERT_SPECIAL_TOKENS,
      ...('unk_token' in model ? { unk_token: model.unk_token } : {}),
    }),
  })

/**
 * WordPiece: a text is cleaned and split at white space and punctuation, and each word is split from the left into the longest subwords in
 * the vocabulary; subwords that do not start a word have the prefix `##`. A word with a part outside the vocabulary is unknown as a whole.
 *
 * Near neighbour: byte-pair encoding merges subwords in the order in which it learned the merges; here the longest subword wins.
 */
export const wordpiece = definePlugin({
  kind: TOKENIZER,
  name: 'wordpiece',
  summary: 'WordPiece subword tokenizer, as in BERT',
  source: "Wu et al., Google's Neural Machine Translation System, 2016, section 4.1",
  options,
  fit: fitOnWords({ name: 'wordpiece', file: (o) => makeTokenizerFile(BERT_TOKENS, o.lowercase), learn }),
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'tokenizer wordpiece': typeof wordpiece
  }
}

export default wordpiece
