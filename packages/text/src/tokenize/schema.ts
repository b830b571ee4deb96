import { z } from 'zod'
import { arrayOf, listOf, longText, recordOf, small, stepsOf } from './bulk.js'
import { isKnownExpression, refusalOf } from './patterns.js'
import { postProcessorSchema } from './post-processor.js'

const token = z.string().max(10_000)
const [MOST_TOKENS, MOST_ADDED, MOST_STEPS] = [4_000_000, 100_000, 20]
const id = z.int().min(0).max(MOST_TOKENS)
const flag = z.boolean()
/** A flag that may be null, which is the default. */
const optionalFlag = (otherwise: boolean) => flag.nullish().transform((value) => value ?? otherwise)
/** One character. */
const character = z
  .string()
  .max(2)
  .refine((text) => [...text].length === 1, { message: 'expected one character' })

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
            message: `unsupported regular expression: ${refused}`,
          })
      }),
  }),
])
/** Pattern of a decoder, which supports only well-known expressions. */
const knownPattern = z.union([
  text,
  z.strictObject({
    Regex: z.string().refine(isKnownExpression, { message: 'expected a well-known regular expression' }),
  }),
])

// Fields that are not listed are dropped: they are not used, and would be saved with the model.

/** Schema of a normalization step. */
export const normalizerSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('BertNormalizer'),
    clean_text: flag.default(true),
    handle_chinese_chars: flag.default(true),
    strip_accents: flag.nullish(),
    lowercase: flag.default(true),
  }),
  z.object({ type: z.enum(['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents', 'Nmt', 'ByteLevel']) }),
  z.object({ type: z.literal('Prepend'), prepend: z.string().max(100) }),
  z.object({ type: z.literal('Strip'), strip_left: flag, strip_right: flag }),
  z.object({ type: z.literal('Replace'), pattern, content: z.string().max(100) }),
  z.object({ type: z.literal('Precompiled'), precompiled_charsmap: z.string().max(4_000_000).nullish() }),
])

const behavior = z.enum(['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'])

/** Texts whose first word a metaspace step prepends its mark to. */
const scheme = z.enum(['always', 'first', 'never'])

/** Schema of a pre-tokenization step. */
export const preTokenizerSchema = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['BertPreTokenizer', 'Whitespace', 'WhitespaceSplit']) }),
  z.object({
    type: z.literal('ByteLevel'),
    add_prefix_space: flag.default(true),
    use_regex: flag.default(true),
    trim_offsets: small,
  }),
  z
    .object({
      type: z.literal('Metaspace'),
      replacement: character,
      prepend_scheme: scheme.optional(),
      add_prefix_space: flag.nullish(),
      split: optionalFlag(true),
      str_rep: small,
    })
    .refine((step) => step.add_prefix_space !== false || (step.prepend_scheme ?? 'never') === 'never', {
      message: 'expected `prepend_scheme` "never", because `add_prefix_space` is false',
    }),
  z.object({ type: z.literal('Punctuation'), behavior: behavior.default('Isolated') }),
  z.object({ type: z.literal('Digits'), individual_digits: flag.default(false) }),
  z.object({ type: z.literal('CharDelimiterSplit'), delimiter: character }),
  z.object({ type: z.literal('FixedLength'), length: z.int().min(1).default(5) }),
  z.object({ type: z.literal('CharacterNGrams'), size: z.int().min(1).max(100) }),
  z.object({ type: z.literal('Split'), pattern, behavior, invert: flag.default(false) }),
])

/** Schema of a decoder step. */
const decoder = z.discriminatedUnion(
  'type',
  [
    z.object({
      type: z.enum(['ByteLevel', 'ByteFallback', 'Fuse']),
      add_prefix_space: small,
      trim_offsets: small,
      use_regex: small,
    }),
    z.object({ type: z.literal('WordPiece'), prefix: z.string().max(100).optional(), cleanup: flag.optional() }),
    z.object({
      type: z.literal('Metaspace'),
      replacement: character.optional(),
      prepend_scheme: scheme.optional(),
      add_prefix_space: small,
      split: small,
      str_rep: small,
    }),
    z.object({
      type: z.literal('Strip'),
      content: character,
      start: z.int().min(0).max(1000),
      stop: z.int().min(0).max(1000),
    }),
    z.object({
      type: z.literal('CTC'),
      pad_token: z.string().min(1).max(100),
      word_delimiter_token: z.string().min(1).max(100),
      cleanup: flag,
    }),
    z.object({ type: z.literal('Replace'), pattern: knownPattern, content: z.string().max(100) }),
    z.object({ type: z.literal('BPEDecoder'), suffix: z.string().max(100).nullish() }),
  ],
  { error: 'unknown type' },
)

const isId = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MOST_TOKENS
const tokenProblem = longText(10_000)
const lineProblem = longText(20_000)
const isPair = (value: unknown): value is readonly [unknown, unknown] => Array.isArray(value) && value.length === 2

const vocabulary = recordOf<number>(
  (value, key) => tokenProblem(key) ?? (isId(value) ? undefined : `expected an id from 0 to ${MOST_TOKENS}`),
)
const merges = arrayOf<string | readonly [string, string]>((value) => {
  if (typeof value === 'string') return lineProblem(value)
  return isPair(value) ? (tokenProblem(value[0]) ?? tokenProblem(value[1])) : 'expected two tokens'
}, MOST_TOKENS)
const scored = arrayOf<readonly [string, number]>((value) => {
  if (!isPair(value)) return 'expected a token and its score'
  return tokenProblem(value[0]) ?? (Number.isFinite(value[1]) ? undefined : 'expected a number as the score')
}, MOST_TOKENS)

/** A prefix or suffix of subwords. */
const affix = z.string().max(100)

const modelSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('WordPiece'),
    unk_token: token,
    continuing_subword_prefix: affix.default('##'),
    max_input_chars_per_word: z.int().min(0).default(100),
    vocab: vocabulary,
  }),
  z.object({
    type: z.literal('BPE'),
    dropout: z.literal(0, { error: 'expected no dropout, which would make the ids random' }).nullish(),
    unk_token: token.nullish(),
    continuing_subword_prefix: affix.nullish(),
    end_of_word_suffix: affix.nullish(),
    fuse_unk: optionalFlag(false),
    byte_fallback: optionalFlag(false),
    ignore_merges: optionalFlag(false),
    vocab: vocabulary,
    merges,
  }),
  z.object({
    type: z.literal('Unigram'),
    unk_id: id.nullish(),
    byte_fallback: flag.default(false),
    vocab: scored,
  }),
  z.object({ type: z.literal('WordLevel'), unk_token: token, vocab: vocabulary }),
])

/** Schema of the used fields of a `tokenizer.json`. */
export const tokenizerFileSchema = z.object({
  version: z.literal('1.0', { error: 'expected "1.0", the only version of the format' }).optional(),
  truncation: small,
  padding: small,
  added_tokens: listOf(
    z.object({
      id,
      content: token,
      single_word: flag.default(false),
      lstrip: flag.default(false),
      rstrip: flag.default(false),
      normalized: flag.default(false),
      special: flag.default(false),
    }),
    MOST_ADDED,
  ).default([]),
  normalizer: stepsOf('normalizers', normalizerSchema, MOST_STEPS).nullish(),
  pre_tokenizer: stepsOf('pretokenizers', preTokenizerSchema, MOST_STEPS).nullish(),
  post_processor: postProcessorSchema.nullish(),
  decoder: stepsOf('decoders', decoder, MOST_STEPS).nullish(),
  model: modelSchema,
})

/** A validated `tokenizer.json`. */
export type TokenizerFile = z.output<typeof tokenizerFileSchema>
/** The model of a tokenizer.json, by type. */
export type ModelFile<T extends TokenizerFile['model']['type'] = TokenizerFile['model']['type']> = Extract<
  TokenizerFile['model'],
  { type: T }
>
