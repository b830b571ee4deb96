import { AttuneError, type SpecialTokens, TOKENIZER, type Tokenizer, definePlugin } from '@attune/core'
import { bareTemplates, fill, readTokenizerFiles, templatesOf } from '@attune/text'
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'
import { z } from 'zod'
import { parseTokenizerFile } from './tokenizer-file.js'

const content = (what: string) => z.record(z.string(), z.unknown()).optional().describe(what)

const options = z.strictObject({
  path: z
    .string()
    .min(1)
    .optional()
    .meta({ path: true })
    .describe('A tokenizer.json, or the folder of a saved model that holds one'),
  json: content('The content of a tokenizer.json, instead of a path'),
  config: content(
    'The content of the tokenizer_config.json that belongs to it: which tokens have a role, the chat template',
  ),
})

type Options = z.output<typeof options>

function load({ path, json, config }: Options) {
  if (path !== undefined) {
    const files = readTokenizerFiles(path)
    return { ...files, file: parseTokenizerFile(files.json, files.where) }
  }
  if (json !== undefined) return { json, config: config ?? {}, file: parseTokenizerFile(json, 'option `json`') }
  throw new AttuneError(
    'NO_VOCABULARY',
    'tokenizer bpe: there is neither a `path` nor a `json`',
    'Name the tokenizer.json of a model under `path`.',
  )
}

const ROLES = {
  pad: 'pad_token',
  unknown: 'unk_token',
  begin: 'bos_token',
  end: 'eos_token',
  mask: 'mask_token',
} as const

/** The ids of the tokens that the configuration gives a role. */
function specialOf(config: Readonly<Record<string, unknown>>, ids: ReadonlyMap<string, number>): SpecialTokens {
  const named = (key: string): unknown => {
    const value = config[key]
    return typeof value === 'object' && value !== null ? (value as { content?: unknown }).content : value
  }
  return Object.fromEntries(
    Object.entries(ROLES).flatMap(([role, key]) => {
      const id = ids.get(String(named(key)))
      return id === undefined ? [] : [[role, id]]
    }),
  )
}

function create(given: Options): Tokenizer {
  const { file, json, config } = load(given)
  const library = new HuggingFaceTokenizer(json as object, {})
  const ids = new Map([
    ...Object.entries(file.model.vocab),
    ...file.added_tokens.map(({ content: c, id }) => [c, id] as const),
  ])
  const templates = templatesOf(file.post_processor, ids)
  const pieces = (text: string): number[] => library.encode(text, { add_special_tokens: false }).ids
  const chat = config['chat_template']
  return {
    vocabularySize: [...ids.values()].reduce((most, id) => Math.max(most, id), 0) + 1,
    special: specialOf(config, ids),
    paddingSide: config['padding_side'] === 'left' ? 'left' : 'right',
    ...(typeof chat === 'string' ? { chatTemplate: chat } : {}),
    encode: (text, { pair, maximumLength = Infinity, addSpecialTokens = true } = {}) =>
      fill(
        addSpecialTokens ? templates : bareTemplates,
        pieces(text),
        pair === undefined ? undefined : pieces(pair),
        maximumLength,
      ),
    decode: (tokens) =>
      // The library refuses to decode nothing.
      tokens.length === 0
        ? ''
        : library.decode(Array.from(tokens), { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
    id: (token) => ids.get(token),
    token: (id) => library.id_to_token(id),
    files: () => ({ 'tokenizer.json': json, 'tokenizer_config.json': config }),
  }
}

/**
 * Byte-pair encoding: a text is cut into words, and each word's bytes (or characters) are joined, pair by pair, in the order
 * in which pairs were learned to be joined. Nothing is unknown where the alphabet is that of all bytes.
 *
 * Near neighbour: WordPiece takes the longest piece that the vocabulary has, from the left.
 */
export const bpe = definePlugin({
  kind: TOKENIZER,
  name: 'bpe',
  summary: 'Words cut into pieces that were joined in the order they were learned, as in GPT-2 and Llama',
  source: 'Sennrich, Haddow and Birch, Neural Machine Translation of Rare Words with Subword Units, 2016, section 3.2',
  options,
  create,
})
export default bpe
