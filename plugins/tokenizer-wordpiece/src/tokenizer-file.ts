import { AttuneError } from '@attune/core'
import { postProcessorSchema } from '@attune/text'
import { z } from 'zod'

/** The most entries of a vocabulary, and the longest token: beyond any real one, and small enough to be harmless. */
const MAXIMUM_ENTRIES = 2_000_000
const MAXIMUM_TOKEN = 1_000

const token = z.string().max(MAXIMUM_TOKEN)
const id = z.int().min(0).max(MAXIMUM_ENTRIES)
const flag = z.boolean().nullish()

/**
 * The steps that a WordPiece file may ask for. What takes a regular expression (`Replace`, `Split`) or a binary table
 * (`Precompiled`) is not among them: no WordPiece model needs it, and a hostile expression can take forever.
 */
const normalizerStep = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('BertNormalizer'),
    clean_text: flag,
    handle_chinese_chars: flag,
    strip_accents: flag,
    lowercase: flag,
  }),
  z.looseObject({ type: z.enum(['Lowercase', 'StripAccents', 'NFC', 'NFD', 'NFKC', 'NFKD', 'Strip']) }),
])
const preTokenizerStep = z.looseObject({
  type: z.enum(['BertPreTokenizer', 'Whitespace', 'WhitespaceSplit', 'Punctuation', 'Digits']),
})
const sequenceOf = <S extends z.ZodType, K extends string>(key: K, step: S) =>
  z.object({ type: z.literal('Sequence'), [key]: z.array(step).max(20) })

/** The part of a `tokenizer.json` that this plugin reads, and all that it may say. */
const schema = z.looseObject({
  added_tokens: z
    .array(z.looseObject({ id, content: token, special: flag }))
    .max(100_000)
    .default([]),
  normalizer: z.union([normalizerStep, sequenceOf('normalizers', normalizerStep)]).nullish(),
  pre_tokenizer: z.union([preTokenizerStep, sequenceOf('pretokenizers', preTokenizerStep)]).nullish(),
  post_processor: postProcessorSchema.nullish(),
  decoder: z.looseObject({ type: z.literal('WordPiece') }).nullish(),
  model: z.looseObject({
    type: z.literal('WordPiece'),
    unk_token: token,
    continuing_subword_prefix: token.default('##'),
    vocab: z.record(token, id),
  }),
})

/** A `tokenizer.json` that was found sound. */
export type TokenizerFile = z.output<typeof schema>

/**
 * Checks the content of a `tokenizer.json`.
 * @param where what to call it in errors
 * @throws AttuneError `BAD_TOKENIZER` if it is not a WordPiece tokenizer, or asks for what is not allowed.
 */
export function parseTokenizerFile(content: unknown, where: string): TokenizerFile {
  const refuse = (why: string): never => {
    throw new AttuneError(
      'BAD_TOKENIZER',
      `${where} is not a WordPiece tokenizer that can be loaded: ${why}`,
      'Use the tokenizer.json of a WordPiece model (BERT and its kin), or leave `path` out to train one.',
    )
  }
  const parsed = schema.safeParse(content)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return refuse(`at \`${issue?.path.join('.') ?? ''}\`, ${issue?.message ?? ''}`)
  }
  const { model } = parsed.data
  const ids = Object.values(model.vocab)
  if (!Object.hasOwn(model.vocab, model.unk_token))
    refuse(`its vocabulary lacks the unknown token "${model.unk_token}"`)
  if (new Set(ids).size !== ids.length) refuse('two tokens of its vocabulary have the same id')
  return parsed.data
}

/** The special tokens that BERT's vocabularies begin with. */
export const SPECIAL_TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const

const special = (content: string, type: number) => ({ SpecialToken: { id: content, type_id: type } })
const sequence = (id: 'A' | 'B', type: number) => ({ Sequence: { id, type_id: type } })

/** The special tokens as a file declares them: found in a text as they stand, before anything else is done to it. */
const ADDED = SPECIAL_TOKENS.map((content, id) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
}))

/** `[CLS] A [SEP]`, and `[CLS] A [SEP] B [SEP]`. */
const TEMPLATE = {
  type: 'TemplateProcessing',
  single: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)],
  pair: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0), sequence('B', 1), special('[SEP]', 1)],
  special_tokens: Object.fromEntries(
    (['[CLS]', '[SEP]'] as const).map((id) => [id, { id, ids: [SPECIAL_TOKENS.indexOf(id)], tokens: [id] }]),
  ),
}

/** The content of a `tokenizer.json` for a vocabulary that begins with {@link SPECIAL_TOKENS}. */
export const makeTokenizerFile = (tokens: readonly string[], lowercase: boolean): Record<string, unknown> => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: ADDED,
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: TEMPLATE,
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(tokens.map((content, id) => [content, id])),
  },
})
