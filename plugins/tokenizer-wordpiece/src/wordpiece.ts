import { AttuneError, type Example, type SpecialTokens, TOKENIZER, type Tokenizer, definePlugin } from '@attune/core'
import { bareTemplates, countWords, fill, readTokenizerFiles, templatesOf, trainWordPiece } from '@attune/text'
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'
import { z } from 'zod'
import { SPECIAL_TOKENS, type TokenizerFile, makeTokenizerFile, parseTokenizerFile } from './tokenizer-file.js'

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

function load({ path, json }: Options): { file: TokenizerFile; content: Record<string, unknown> } {
  if (path === undefined && json === undefined)
    throw new AttuneError(
      'NO_VOCABULARY',
      'tokenizer wordpiece: there is neither a `path` nor a trained vocabulary',
      "Name a tokenizer.json under `path`, or let the plugin's `fit` train one on the training examples.",
    )
  const { json: content, where } = path === undefined ? { json, where: 'option `json`' } : readTokenizerFiles(path)
  return { file: parseTokenizerFile(content, where), content: content as Record<string, unknown> }
}

/** The library's tokenizer; it wants a vocabulary of some kind even where only its normalisation is used. */
const libraryTokenizer = (content: object): HuggingFaceTokenizer => new HuggingFaceTokenizer(content, {})

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
  const { normalizer, pre_tokenizer: preTokenizer } = libraryTokenizer(makeTokenizerFile(SPECIAL_TOKENS, lowercase))
  const split = (text: string): string[] => preTokenizer!.pre_tokenize(normalizer!.normalize(text))
  const words = await countWords(textsOf(examples, field), split)
  if (words.size === 0)
    throw new AttuneError(
      'NO_TEXT',
      `tokenizer wordpiece: the training examples have no words under "${field}" to train a vocabulary on`,
      'Name the field that holds the text: `tokenizer: { use: wordpiece, field: … }`.',
    )
  const training = { vocabularySize, minimumFrequency, specialTokens: SPECIAL_TOKENS, alphabetSize: ALPHABET }
  return makeTokenizerFile(trainWordPiece(words, training), lowercase)
}

/** The ids of the tokens that have a role, by the names that BERT's vocabularies give them. */
function specialOf({ model }: TokenizerFile, ids: ReadonlyMap<string, number>): SpecialTokens {
  const roles = { pad: '[PAD]', unknown: model.unk_token, begin: '[CLS]', end: '[SEP]', mask: '[MASK]' }
  return Object.fromEntries(
    Object.entries(roles).flatMap(([role, name]) => (ids.has(name) ? [[role, ids.get(name)]] : [])),
  )
}

function create(given: Options): Tokenizer {
  const { file, content } = load(given)
  const library = libraryTokenizer(content)
  const added = file.added_tokens.map((token) => [token.content, token.id] as const)
  const ids = new Map([...Object.entries(file.model.vocab), ...added])
  const templates = templatesOf(file.post_processor, ids)
  const special = specialOf(file, ids)
  const pieces = (text: string): number[] => library.encode(text, { add_special_tokens: false }).ids
  return {
    vocabularySize: [...ids.values()].reduce((most, id) => Math.max(most, id), 0) + 1,
    special,
    paddingSide: 'right',
    encode: (text, { pair, maximumLength = Infinity, addSpecialTokens = true } = {}) =>
      fill(
        addSpecialTokens ? templates : bareTemplates,
        pieces(text),
        pair === undefined ? undefined : pieces(pair),
        maximumLength,
      ),
    decode: (tokens) => library.decode(Array.from(tokens), { skip_special_tokens: true }),
    id: (token) => ids.get(token),
    token: (id) => library.id_to_token(id),
    files: () => ({
      'tokenizer.json': content,
      'tokenizer_config.json': {
        tokenizer_class: 'BertTokenizer',
        do_lower_case: given.lowercase,
        pad_token: '[PAD]',
        unk_token: file.model.unk_token,
        cls_token: '[CLS]',
        sep_token: '[SEP]',
        mask_token: '[MASK]',
      },
    }),
  }
}

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
