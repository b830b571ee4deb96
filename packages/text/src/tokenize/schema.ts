import { z } from 'zod'
import { postProcessorSchema } from './post-processor.js'
import { isKnownExpression, refusalOf } from './patterns.js'

const token = z.string().max(10_000)
const id = z.int().min(0).max(4_000_000)
const flag = z.boolean()
const TOKENS = 4_000_000

const text = z.strictObject({ String: z.string().min(1).max(100) })
const pattern = z.union([
  text,
  z.strictObject({
    Regex: z
      .string()
      .max(2000)
      .superRefine((source, context) => {
        const refused = refusalOf(source)
        if (refused !== undefined)
          context.addIssue({
            code: 'custom',
            message: `it has a regular expression that is not understood: ${refused}`,
          })
      }),
  }),
])
/** Decoders run on the library's matcher, which a hostile expression would keep forever. */
const knownPattern = z.union([
  text,
  z.strictObject({
    Regex: z
      .string()
      .refine(isKnownExpression, { message: 'it has a regular expression that is not a well-known one' }),
  }),
])

/** A step of what is done to a text before it is cut into words. */
export const normalizerSchema = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('BertNormalizer'),
    clean_text: flag.default(true),
    handle_chinese_chars: flag.default(true),
    strip_accents: flag.nullish(),
    lowercase: flag.default(true),
  }),
  z.looseObject({ type: z.enum(['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents', 'Nmt', 'ByteLevel']) }),
  z.looseObject({ type: z.literal('Prepend'), prepend: z.string().max(100) }),
  z.looseObject({ type: z.literal('Strip'), strip_left: flag, strip_right: flag }),
  z.looseObject({ type: z.literal('Replace'), pattern, content: z.string().max(100) }),
  z.looseObject({ type: z.literal('Precompiled'), precompiled_charsmap: z.string().max(4_000_000).nullish() }),
])

const behavior = z.enum(['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'])

/** A step of how texts are cut into words. */
export const preTokenizerSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.enum(['BertPreTokenizer', 'Whitespace', 'WhitespaceSplit']) }),
  z.looseObject({ type: z.literal('ByteLevel'), add_prefix_space: flag.default(true), use_regex: flag.default(true) }),
  z.looseObject({
    type: z.literal('Metaspace'),
    replacement: z.string().min(1).max(10),
    prepend_scheme: z.enum(['always', 'first', 'never']).optional(),
    add_prefix_space: flag.optional(),
    split: flag.default(true),
  }),
  z.looseObject({ type: z.literal('Punctuation'), behavior: behavior.default('Isolated') }),
  z.looseObject({ type: z.literal('Digits'), individual_digits: flag.default(false) }),
  z.looseObject({ type: z.literal('CharDelimiterSplit'), delimiter: z.string().min(1).max(10) }),
  z.looseObject({ type: z.literal('CharacterNGrams'), size: z.int().min(1).max(100) }),
  z.looseObject({ type: z.literal('Split'), pattern, behavior, invert: flag.default(false) }),
])

/** A step of how tokens become a text. */
const decoder = z.discriminatedUnion(
  'type',
  [
    z.looseObject({ type: z.enum(['ByteLevel', 'ByteFallback', 'Fuse']) }),
    z.looseObject({ type: z.literal('WordPiece'), prefix: z.string().max(100).nullish(), cleanup: flag.nullish() }),
    z.looseObject({ type: z.literal('Metaspace'), replacement: z.string().min(1).max(10).optional() }),
    z.looseObject({
      type: z.literal('Strip'),
      content: z.string().max(10).optional(),
      start: z.int().min(0).max(1000).optional(),
      stop: z.int().min(0).max(1000).optional(),
    }),
    z.looseObject({ type: z.literal('Replace'), pattern: knownPattern, content: z.string().max(100) }),
    z.looseObject({ type: z.literal('BPEDecoder'), suffix: z.string().max(100).nullish() }),
  ],
  { error: 'it is of a type that is not known' },
)

const vocabulary = z.record(token, id)
const modelSchema = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('WordPiece'),
    unk_token: token,
    continuing_subword_prefix: token.default('##'),
    max_input_chars_per_word: z.int().min(1).default(100),
    vocab: vocabulary,
  }),
  z.looseObject({
    type: z.literal('BPE'),
    dropout: z.number().max(0).nullish(),
    unk_token: token.nullish(),
    continuing_subword_prefix: token.nullish(),
    end_of_word_suffix: token.nullish(),
    fuse_unk: flag.default(false),
    byte_fallback: flag.default(false),
    ignore_merges: flag.default(false),
    vocab: vocabulary,
    merges: z.array(z.union([z.string().max(20_000), z.tuple([token, token])])).max(TOKENS),
  }),
  z.looseObject({
    type: z.literal('Unigram'),
    unk_id: id.nullish(),
    byte_fallback: flag.default(false),
    vocab: z.array(z.tuple([token, z.number()])).max(TOKENS),
  }),
  z.looseObject({ type: z.literal('WordLevel'), unk_token: token, vocab: vocabulary }),
])

/** One step, or several under a key of their own, as a list. */
const stepsOf = <S extends z.ZodType>(key: string, step: S) =>
  z.union([z.object({ type: z.literal('Sequence'), [key]: z.array(step).max(20) }), step]).nullish()

/** The part of a `tokenizer.json` that is read, and all that it may say. */
export const tokenizerFileSchema = z.looseObject({
  added_tokens: z
    .array(
      z.looseObject({
        id,
        content: token.min(1),
        single_word: flag.default(false),
        lstrip: flag.default(false),
        rstrip: flag.default(false),
        normalized: flag.default(false),
        special: flag.default(false),
      }),
    )
    .max(100_000)
    .default([]),
  normalizer: stepsOf('normalizers', normalizerSchema),
  pre_tokenizer: stepsOf('pretokenizers', preTokenizerSchema),
  post_processor: postProcessorSchema.nullish(),
  decoder: stepsOf('decoders', decoder),
  model: modelSchema,
})

/** A `tokenizer.json` that was found sound. */
export type TokenizerFile = z.output<typeof tokenizerFileSchema>
/** The model of a tokenizer.json, by its type. */
export type ModelFile<T extends TokenizerFile['model']['type'] = TokenizerFile['model']['type']> = Extract<
  TokenizerFile['model'],
  { type: T }
>
