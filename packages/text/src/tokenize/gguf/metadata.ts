import { z } from 'zod'
import { arrayOf, longText } from '../bulk.js'

const MOST_TOKENS = 4_000_000
const text = z.string().max(10_000)
const id = z.int().min(0).max(MOST_TOKENS)
const texts = arrayOf<string>(longText(20_000), MOST_TOKENS)
const numbers = arrayOf<number>(
  (value) => (Number.isFinite(value) ? undefined : 'expected a number'),
  MOST_TOKENS,
).optional()

/** Tokenizer models of GGUF files that are supported. */
export const MODELS = ['gpt2', 'llama', 'bert', 't5', 'gemma4'] as const

/** Tokenizer metadata of a GGUF file. */
export const metadataSchema = z.object({
  'general.architecture': text.optional(),
  'general.name': text.optional(),
  'tokenizer.ggml.model': z.enum(MODELS),
  'tokenizer.ggml.pre': text.optional(),
  'tokenizer.ggml.tokens': arrayOf<string>(longText(10_000), MOST_TOKENS, 1),
  'tokenizer.ggml.scores': numbers,
  'tokenizer.ggml.token_type': numbers,
  'tokenizer.ggml.merges': texts.optional(),
  'tokenizer.ggml.bos_token_id': id.optional(),
  'tokenizer.ggml.eos_token_id': id.optional(),
  'tokenizer.ggml.unknown_token_id': id.optional(),
  'tokenizer.ggml.seperator_token_id': id.optional(),
  'tokenizer.ggml.padding_token_id': id.optional(),
  'tokenizer.ggml.cls_token_id': id.optional(),
  'tokenizer.ggml.mask_token_id': id.optional(),
  'tokenizer.ggml.add_bos_token': z.boolean().optional(),
  'tokenizer.ggml.add_eos_token': z.boolean().optional(),
  'tokenizer.ggml.add_space_prefix': z.boolean().optional(),
  'tokenizer.ggml.remove_extra_whitespaces': z.boolean().optional(),
  'tokenizer.ggml.precompiled_charsmap': arrayOf<number>(
    (value) => (Number.isInteger(value) && Math.abs(Number(value)) < 256 ? undefined : 'expected a byte'),
    3_000_000,
  ).optional(),
  'tokenizer.ggml.normalizer.lowercase': z.boolean().optional(),
  'tokenizer.ggml.normalizer.strip_accents': z.boolean().optional(),
  'tokenizer.chat_template': z.string().max(1_000_000).optional(),
})
/** Validated tokenizer metadata of a GGUF file. */
export type Metadata = z.output<typeof metadataSchema>

/** Token types, with the numbers of the format. */
export const TOKEN_TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

/** Sections of a tokenizer.json that depend on the tokenizer model of a GGUF file. */
export interface Sections {
  readonly normalizer: object | null
  readonly pre_tokenizer: object | null
  readonly decoder: object
  readonly model: object
  /** True if the BOS token is added, unless the file says otherwise. */
  readonly begins: boolean
  /** True if the EOS token is added, unless the file says otherwise. */
  readonly ends: boolean
}

/** Throws the error for a file that cannot be used, with the reason. */
export type Refuse = (why: string) => never
