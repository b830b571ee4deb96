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
  lowercase: z.boolean().default(true).describe('Whether a trained tokenizer lowercases and strips accents'),
})

type Options = z.output<typeof options>

/** Trains a vocabulary on words, cut as the tokenizer will cut them. */
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
 * WordPiece: a text is cleaned, cut at white space and punctuation, and each word is cut from the left into the longest
 * pieces that the vocabulary has; pieces that do not begin a word are written with `##`. A word with a part that the
 * vocabulary lacks is unknown as a whole.
 *
 * Near neighbour: byte-pair encoding joins pieces in the order in which it learned to; here the longest piece wins.
 */
export const wordpiece = definePlugin({
  kind: TOKENIZER,
  name: 'wordpiece',
  summary: 'Words cut into the longest pieces that a vocabulary has, as in BERT',
  source: "Wu et al., Google's Neural Machine Translation System, 2016, section 4.1",
  options,
  fit: fitOnWords({ name: 'wordpiece', file: (o) => makeTokenizerFile(BERT_TOKENS, o.lowercase), learn }),
  create,
})
export default wordpiece
