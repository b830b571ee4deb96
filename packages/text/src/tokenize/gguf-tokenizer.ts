import { AttuneError, type Budget, createBudget } from '@attune/core'
import { z } from 'zod'
import { arrayOf, longText } from './bulk.js'
import { GPT2_PATTERN, LLAMA3_PATTERN, O200K_PATTERN, QWEN2_PATTERN, TEKKEN_PATTERN } from './patterns.js'

const MOST_TOKENS = 4_000_000
const text = z.string().max(10_000)
const id = z.int().min(0).max(MOST_TOKENS)
const texts = arrayOf<string>(longText(20_000), MOST_TOKENS)
const numbers = arrayOf<number>(
  (value) => (Number.isFinite(value) ? undefined : 'expected a number'),
  MOST_TOKENS,
).optional()

/** Tokenizer metadata of a GGUF file. */
const schema = z.object({
  'tokenizer.ggml.model': z.enum(['gpt2', 'llama']),
  'tokenizer.ggml.pre': text.optional(),
  'tokenizer.ggml.tokens': arrayOf<string>(longText(10_000), MOST_TOKENS, 1),
  'tokenizer.ggml.scores': numbers,
  'tokenizer.ggml.token_type': numbers,
  'tokenizer.ggml.merges': texts.optional(),
  'tokenizer.ggml.bos_token_id': id.optional(),
  'tokenizer.ggml.eos_token_id': id.optional(),
  'tokenizer.ggml.unknown_token_id': id.optional(),
  'tokenizer.ggml.padding_token_id': id.optional(),
  'tokenizer.ggml.add_bos_token': z.boolean().optional(),
  'tokenizer.ggml.add_eos_token': z.boolean().optional(),
  'tokenizer.ggml.add_space_prefix': z.boolean().optional(),
  'tokenizer.chat_template': z.string().max(1_000_000).optional(),
})
type Metadata = z.output<typeof schema>

/** Limits for the derived merges, whose text is many times the size of the vocabulary. */
const MERGE_LIMITS = { bytes: 32_000_000, bytesPerByte: 64 }
/** Bytes per merge without its text, and per token. */
const [BYTES_PER_MERGE, BYTES_PER_TOKEN] = [100, 8]

/** Token types, with the numbers of the format. */
const [CONTROL, USER_DEFINED] = [3, 4]

/**
 * Derives merges from a vocabulary with scores: every split of a token into two others, highest score first. SentencePiece
 * stores scores and no merges; in its BPE models scores decrease in the order in which tokens were learned.
 */
function mergesOf(tokens: readonly string[], scores: readonly number[], budget: Budget): string[][] {
  const ids = new Map(tokens.map((token, at) => [token, at]))
  const found: { readonly pair: string[]; readonly score: number }[] = []
  for (const [id, token] of tokens.entries()) {
    const ways: (readonly [left: number, right: number])[] = []
    budget.spend(token.length ** 2)
    for (let at = 1; at < token.length; at++) {
      const [left, right] = [ids.get(token.slice(0, at)), ids.get(token.slice(at))]
      if (left !== undefined && right !== undefined) ways.push([left, right])
    }
    budget.hold((BYTES_PER_MERGE + token.length) * ways.length)
    ways.sort(([a, b], [c, d]) => a - c || b - d)
    for (const [left, right] of ways) found.push({ pair: [tokens[left]!, tokens[right]!], score: scores[id] ?? 0 })
  }
  return found.sort((a, b) => b.score - a.score).map(({ pair }) => pair)
}

const splits = (expression: string): object => ({
  type: 'Split',
  pattern: { Regex: expression },
  behavior: 'Isolated',
  invert: false,
})
const splitBy = (...expressions: readonly string[]): object => ({
  type: 'Sequence',
  pretokenizers: [
    ...expressions.map(splits),
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
  ],
})
/** GPT-2's pre-tokenizer with individual digits. */
const INDIVIDUAL_DIGITS = splitBy('\\p{N}', GPT2_PATTERN)

/** Pre-tokenizers of byte-level tokenizers, by their name in the file. */
const PRE_TOKENIZERS: Readonly<Record<string, object>> = {
  'llama-bpe': splitBy(LLAMA3_PATTERN),
  qwen2: splitBy(QWEN2_PATTERN),
  'deepseek-r1-qwen': splitBy(QWEN2_PATTERN),
  'gpt-2': splitBy(GPT2_PATTERN),
  smollm: INDIVIDUAL_DIGITS,
  starcoder: INDIVIDUAL_DIGITS,
  refact: INDIVIDUAL_DIGITS,
  'command-r': INDIVIDUAL_DIGITS,
  tekken: splitBy(TEKKEN_PATTERN),
  'gpt-4o': splitBy(O200K_PATTERN),
  llama4: splitBy(O200K_PATTERN),
  default: splitBy(GPT2_PATTERN),
}
/** Pre-tokenizers for which words in the vocabulary bypass the merges. */
const WHOLE_WORDS = new Set(['llama-bpe', 'tekken'])

function byteLevel(metadata: Metadata, refuse: (why: string) => never): object {
  const pre = metadata['tokenizer.ggml.pre'] ?? 'default'
  if (!Object.hasOwn(PRE_TOKENIZERS, pre)) refuse(`unknown pre-tokenizer ${JSON.stringify(pre.slice(0, 80))}`)
  return {
    normalizer: pre === 'qwen2' ? { type: 'NFC' } : null,
    pre_tokenizer: PRE_TOKENIZERS[pre],
    decoder: { type: 'ByteLevel' },
    model: { ignore_merges: WHOLE_WORDS.has(pre), merges: metadata['tokenizer.ggml.merges'] ?? [] },
  }
}

function sentencePiece(metadata: Metadata, refuse: (why: string) => Error): object {
  const prefix = metadata['tokenizer.ggml.add_space_prefix'] !== false
  const tokens = metadata['tokenizer.ggml.tokens']
  const size = tokens.reduce((sum, token) => sum + BYTES_PER_TOKEN + token.length, 0)
  const budget = createBudget(size, (why) => refuse(`its tokens can be merged in too many ways: ${why}`), MERGE_LIMITS)
  return {
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: prefix ? 'first' : 'never', split: false },
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      byte_fallback: true,
      fuse_unk: true,
      unk_token: tokens[metadata['tokenizer.ggml.unknown_token_id'] ?? 0],
      merges: mergesOf(tokens, metadata['tokenizer.ggml.scores'] ?? [], budget),
    },
  }
}

/** The post-processor that adds the BOS and EOS tokens, if the file asks for them. */
function templateOf(metadata: Metadata, begins: boolean): object | null {
  const tokens = metadata['tokenizer.ggml.tokens']
  const [bos, eos] = [metadata['tokenizer.ggml.bos_token_id'], metadata['tokenizer.ggml.eos_token_id']]
  const tokenItem = (at: number | undefined, wanted: boolean | undefined, type: number): object[] =>
    at !== undefined && wanted === true && tokens[at] !== undefined
      ? [{ SpecialToken: { id: tokens[at], type_id: type } }]
      : []
  const around = (name: 'A' | 'B', type: number): object[] => [
    ...tokenItem(bos, metadata['tokenizer.ggml.add_bos_token'] ?? begins, type),
    { Sequence: { id: name, type_id: type } },
    ...tokenItem(eos, metadata['tokenizer.ggml.add_eos_token'], type),
  ]
  const [single, second] = [around('A', 0), around('B', 1)]
  if (single.length === 1) return null
  const known = [bos, eos].flatMap((at) => (at === undefined || tokens[at] === undefined ? [] : [at]))
  const special = Object.fromEntries(
    known.map((at) => [tokens[at]!, { id: tokens[at], ids: [at], tokens: [tokens[at]] }]),
  )
  return { type: 'TemplateProcessing', single, pair: [...single, ...second], special_tokens: special }
}

/** Special tokens and the chat template, as in a tokenizer_config.json. */
function configOf(metadata: Metadata): Readonly<Record<string, unknown>> {
  const named = (key: 'bos' | 'eos' | 'unknown' | 'padding'): string | undefined =>
    metadata['tokenizer.ggml.tokens'][metadata[`tokenizer.ggml.${key}_token_id`] ?? -1]
  const config = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: named('bos'),
    eos_token: named('eos'),
    unk_token: named('unknown'),
    pad_token: named('padding'),
    chat_template: metadata['tokenizer.chat_template'],
  }
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
}

/**
 * Converts the metadata of a GGUF file to the contents of `tokenizer.json` and `tokenizer_config.json`. Supports byte-level BPE
 * with the pre-tokenizers of GPT-2, Llama 3 and 4, Qwen 2, SmolLM and Mistral Nemo, and the BPE models of SentencePiece, as in
 * Llama 2 and Mistral.
 * @param where the file, for errors
 * @throws AttuneError `BAD_TOKENIZER` if the file has no tokenizer, or an unsupported one
 */
export function ggufTokenizer(content: Readonly<Record<string, unknown>>, where: string) {
  const error = (why: string): AttuneError =>
    new AttuneError(
      'BAD_TOKENIZER',
      `${where} has no tokenizer that can be loaded: ${why}`,
      'Put the tokenizer.json of the model into the same folder.',
    )
  const refuse = (why: string): never => {
    throw error(why)
  }
  const parsed = schema.safeParse(content)
  const [issue] = parsed.error?.issues ?? []
  if (!parsed.success) return refuse(`at \`${issue?.path.join('.') ?? ''}\`, ${issue?.message ?? ''}`)
  const metadata = parsed.data
  const tokens = metadata['tokenizer.ggml.tokens']
  const types = metadata['tokenizer.ggml.token_type'] ?? []
  const spm = metadata['tokenizer.ggml.model'] === 'llama'
  const parts = (spm ? sentencePiece(metadata, error) : byteLevel(metadata, refuse)) as { readonly model: object }
  const addedTokens = tokens.flatMap((content, at) => {
    const special = types[at] === CONTROL
    return special || types[at] === USER_DEFINED ? [{ id: at, content, special, normalized: false }] : []
  })
  const added = addedTokens.map((each) => ({ ...each, single_word: false, lstrip: false, rstrip: false }))
  const config = configOf(metadata)
  const vocab = Object.fromEntries(tokens.map((token, at) => [token, at]))
  const json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    ...parts,
    post_processor: templateOf(metadata, spm),
    model: { type: 'BPE', ...parts.model, vocab },
  }
  return { json, config }
}
