import { AttuneError } from '@attune/core'
import { postProcessorSchema } from '@attune/text'
import { z } from 'zod'

const token = z.string().max(1000)
const id = z.int().min(0).max(2_000_000)
const flag = z.boolean().nullish()

/**
 * The regular expressions that well-known models cut words by: GPT-2's, and those of cl100k, Llama 3 and Qwen 2. Others are
 * refused, for a hostile one can take forever.
 */
const EXPRESSIONS: ReadonlySet<string> = new Set([
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
])

const pattern = z.union([
  z.strictObject({ String: z.string().min(1).max(100) }),
  z.strictObject({
    Regex: z
      .string()
      .refine((text) => EXPRESSIONS.has(text), { message: 'it cuts by a regular expression that is not known' }),
  }),
])
const normalizer = z.discriminatedUnion('type', [
  z.looseObject({ type: z.enum(['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase']) }),
  z.looseObject({ type: z.literal('Prepend'), prepend: z.string().max(100) }),
  z.looseObject({ type: z.literal('Replace'), pattern, content: z.string().max(100) }),
])
const preTokenizer = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('ByteLevel') }),
  z.looseObject({
    type: z.literal('Split'),
    pattern,
    behavior: z.enum(['Isolated', 'Removed', 'MergedWithPrevious']),
    invert: flag,
  }),
  z.looseObject({ type: z.enum(['Digits', 'Metaspace', 'Whitespace', 'WhitespaceSplit', 'Punctuation']) }),
])
const decoder = z.looseObject({
  type: z.enum(['ByteLevel', 'Metaspace', 'ByteFallback', 'Fuse', 'Strip', 'Replace', 'BPEDecoder']),
})
const sequenceOf = <S extends z.ZodType>(key: string, step: S) =>
  z.union([step, z.object({ type: z.literal('Sequence'), [key]: z.array(step).max(20) })]).nullish()

/** The part of a `tokenizer.json` that this plugin reads, and all that it may say. */
const schema = z.looseObject({
  added_tokens: z
    .array(z.looseObject({ id, content: token, special: flag }))
    .max(100_000)
    .default([]),
  normalizer: sequenceOf('normalizers', normalizer),
  pre_tokenizer: sequenceOf('pretokenizers', preTokenizer),
  post_processor: postProcessorSchema.nullish(),
  decoder: sequenceOf('decoders', decoder),
  model: z.looseObject({
    type: z.literal('BPE'),
    dropout: z.number().max(0).nullish(),
    vocab: z.record(token, id),
    merges: z.array(z.union([z.string().max(2000), z.tuple([token, token])])).max(2_000_000),
  }),
})

/** A `tokenizer.json` that was found sound. */
export type TokenizerFile = z.output<typeof schema>

/**
 * Checks the content of a `tokenizer.json`.
 * @param where what to call it in errors
 * @throws AttuneError `BAD_TOKENIZER` if it is not a BPE tokenizer, or asks for what is not allowed.
 */
export function parseTokenizerFile(content: unknown, where: string): TokenizerFile {
  const parsed = schema.safeParse(content)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new AttuneError(
    'BAD_TOKENIZER',
    `${where} is not a BPE tokenizer that can be loaded: at \`${issue?.path.join('.') ?? ''}\`, ${issue?.message ?? ''}`,
    'Use the tokenizer.json of a model with byte-pair encoding: GPT-2, RoBERTa, Llama 3, Qwen and their kin.',
  )
}
