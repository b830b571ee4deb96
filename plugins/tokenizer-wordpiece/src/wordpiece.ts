import { AttuneError, type Example, TOKENIZER, type Tokenizer, definePlugin } from '@attune/core'
import { countWords, tokenizerOf, trainWordPiece, wordsOf } from '@attune/text'
import { z } from 'zod'
import { SPECIAL_TOKENS, makeTokenizerFile } from './tokenizer-file.js'

const ALPHABET = 1000

const options = z.strictObject({
  path: z
    .string()
    .min(1)
    .optional()
    .meta({ path: true })
    .describe('A tokenizer.json, or the folder of a saved model that holds one; without it a vocabulary is trained'),
  vocabularySize: z
    .int()
    .min(100)
    .max(2_000_000)
    .default(8000)
    .describe('Entries of the vocabulary, when it is trained'),
  minimumFrequency: z
    .int()
    .min(1)
    .default(2)
    .describe('Pieces rarer than this are not joined, when a vocabulary is trained'),
  lowercase: z.boolean().default(true).describe('Whether a trained tokenizer lowercases and strips accents'),
  field: z
    .string()
    .min(1)
    .default('text')
    .describe('The field of the training examples that a vocabulary is trained on'),
  json: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('The content of a tokenizer.json; what training fills in'),
})

type Options = z.output<typeof options>

async function* textsOf(examples: AsyncIterable<Example>, field: string): AsyncGenerator<string> {
  for await (const example of examples) {
    const text = example[field]
    if (typeof text === 'string') yield text
  }
}

/** Trains a vocabulary on the texts of the examples, cut into words as the tokenizer will cut them. */
async function train(
  { vocabularySize, minimumFrequency, lowercase, field }: Options,
  examples: AsyncIterable<Example>,
) {
  const words = await countWords(textsOf(examples, field), wordsOf(makeTokenizerFile(SPECIAL_TOKENS, lowercase)))
  if (words.size === 0)
    throw new AttuneError(
      'NO_TEXT',
      `tokenizer wordpiece: the training examples have no words under "${field}" to train a vocabulary on`,
      'Name the field that holds the text: `tokenizer: { use: wordpiece, field: … }`.',
    )
  const training = { vocabularySize, minimumFrequency, specialTokens: SPECIAL_TOKENS, alphabetSize: ALPHABET }
  return makeTokenizerFile(trainWordPiece(words, training), lowercase)
}

const create = (given: Options): Tokenizer =>
  tokenizerOf(given, {
    name: 'wordpiece',
    type: 'WordPiece',
    cleanUp: true,
    config: ({ model, normalizer }) => ({
      tokenizer_class: 'BertTokenizer',
      do_lower_case: normalizer?.type === 'BertNormalizer' && normalizer.lowercase,
      pad_token: '[PAD]',
      unk_token: 'unk_token' in model ? model.unk_token : undefined,
      cls_token: '[CLS]',
      sep_token: '[SEP]',
      mask_token: '[MASK]',
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
  fit: async (given, examples) =>
    given.path === undefined && given.json === undefined ? { ...given, json: await train(given, examples()) } : given,
  create,
})
export default wordpiece
