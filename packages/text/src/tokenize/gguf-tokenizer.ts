import { AttuneError, type Budget, createBudget } from '@attune/core'
import { z } from 'zod'
import { arrayOf, longText } from './bulk.js'
import { GPT2_CUT, LLAMA3_CUT, O200K_CUT, QWEN2_CUT, TEKKEN_CUT } from './patterns.js'

const MOST_TOKENS = 4_000_000
const text = z.string().max(10_000)
const id = z.int().min(0).max(MOST_TOKENS)
const texts = arrayOf<string>(longText(20_000), MOST_TOKENS)
const numbers = arrayOf<number>(
  (value) => (Number.isFinite(value) ? undefined : 'expected a number'),
  MOST_TOKENS,
).optional()

/** What a GGUF file says of its tokenizer. */
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

/** What the merges of pieces may cost: as text they are many times the size of the pieces. */
const MERGE_LIMITS = { bytes: 32_000_000, bytesPerByte: 64 }
/** Bytes that a merge takes, without its text, and that a token takes in a file. */
const [BYTES_PER_MERGE, BYTES_PER_TOKEN] = [100, 8]

/** Types of tokens, by the numbers that the format gives them. */
const [CONTROL, USER_DEFINED] = [3, 4]

/**
 * The merges of a vocabulary of pieces with scores: every way to make a piece of two others, those of the highest score first.
 * SentencePiece keeps scores and no merges; in its byte-pair models scores fall in the order in which pieces were learned.
 */
function mergesOf(tokens: readonly string[], scores: readonly number[], budget: Budget): string[][] {
  const ids = new Map(tokens.map((token, at) => [token, at]))
  const found: { readonly pair: string[]; readonly score: number }[] = []
  for (const [at, token] of tokens.entries()) {
    const ways: (readonly [left: number, right: number])[] = []
    budget.spend(token.length ** 2)
    for (let cut = 1; cut < token.length; cut++) {
      const [left, right] = [ids.get(token.slice(0, cut)), ids.get(token.slice(cut))]
      if (left !== undefined && right !== undefined) ways.push([left, right])
    }
    budget.hold((BYTES_PER_MERGE + token.length) * ways.length)
    ways.sort(([a, b], [c, d]) => a - c || b - d)
    for (const [left, right] of ways) found.push({ pair: [tokens[left]!, tokens[right]!], score: scores[at] ?? 0 })
  }
  return found.sort((a, b) => b.score - a.score).map(({ pair }) => pair)
}

const splits = (expression: string): object => ({
  type: 'Split',
  pattern: { Regex: expression },
  behavior: 'Isolated',
  invert: false,
})
const cutBy = (...expressions: readonly string[]): object => ({
  type: 'Sequence',
  pretokenizers: [
    ...expressions.map(splits),
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
  ],
})
/** As GPT-2's, each digit by itself. */
const DIGITS_APART = cutBy('\\p{N}', GPT2_CUT)

/** How byte-level tokenizers cut texts, by the name that the file gives. */
const CUTS: Readonly<Record<string, object>> = {
  'llama-bpe': cutBy(LLAMA3_CUT),
  qwen2: cutBy(QWEN2_CUT),
  'deepseek-r1-qwen': cutBy(QWEN2_CUT),
  'gpt-2': cutBy(GPT2_CUT),
  smollm: DIGITS_APART,
  starcoder: DIGITS_APART,
  refact: DIGITS_APART,
  'command-r': DIGITS_APART,
  tekken: cutBy(TEKKEN_CUT),
  'gpt-4o': cutBy(O200K_CUT),
  llama4: cutBy(O200K_CUT),
  default: cutBy(GPT2_CUT),
}
/** Those whose words that are tokens are not cut, whatever the merges. */
const WHOLE_WORDS = new Set(['llama-bpe', 'tekken'])

function byteLevel(metadata: Metadata, refuse: (why: string) => never): object {
  const pre = metadata['tokenizer.ggml.pre'] ?? 'default'
  if (!Object.hasOwn(CUTS, pre)) refuse(`it cuts words as ${JSON.stringify(pre.slice(0, 80))} does, which is not known`)
  return {
    normalizer: pre === 'qwen2' ? { type: 'NFC' } : null,
    pre_tokenizer: CUTS[pre],
    decoder: { type: 'ByteLevel' },
    model: { ignore_merges: WHOLE_WORDS.has(pre), merges: metadata['tokenizer.ggml.merges'] ?? [] },
  }
}

function pieces(metadata: Metadata, refuse: (why: string) => Error): object {
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

/** What stands around texts: the first token and the last, where the file wants them. */
function templateOf(metadata: Metadata, begins: boolean): object | null {
  const tokens = metadata['tokenizer.ggml.tokens']
  const [bos, eos] = [metadata['tokenizer.ggml.bos_token_id'], metadata['tokenizer.ggml.eos_token_id']]
  const placed = (at: number | undefined, wanted: boolean | undefined, type: number): object[] =>
    at !== undefined && wanted === true && tokens[at] !== undefined
      ? [{ SpecialToken: { id: tokens[at], type_id: type } }]
      : []
  const around = (name: 'A' | 'B', type: number): object[] => [
    ...placed(bos, metadata['tokenizer.ggml.add_bos_token'] ?? begins, type),
    { Sequence: { id: name, type_id: type } },
    ...placed(eos, metadata['tokenizer.ggml.add_eos_token'], type),
  ]
  const [single, second] = [around('A', 0), around('B', 1)]
  if (single.length === 1) return null
  const known = [bos, eos].flatMap((at) => (at === undefined || tokens[at] === undefined ? [] : [at]))
  const special = Object.fromEntries(
    known.map((at) => [tokens[at]!, { id: tokens[at], ids: [at], tokens: [tokens[at]] }]),
  )
  return { type: 'TemplateProcessing', single, pair: [...single, ...second], special_tokens: special }
}

/** Which tokens have a role, and the chat template, as a tokenizer_config.json says it. */
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
 * The contents of `tokenizer.json` and `tokenizer_config.json` out of the metadata of a GGUF file: byte-level BPE cut as in
 * GPT-2, Llama 3 and 4, Qwen 2, SmolLM or Mistral Nemo, or the byte-pair pieces of SentencePiece, as in Llama 2 and Mistral.
 * @param where the file, for errors
 * @throws AttuneError `BAD_TOKENIZER` if the file has no tokenizer, or one of another kind
 */
export function ggufTokenizer(given: Readonly<Record<string, unknown>>, where: string) {
  const error = (why: string): AttuneError =>
    new AttuneError(
      'BAD_TOKENIZER',
      `${where} has no tokenizer that can be read: ${why}`,
      'Put the tokenizer.json of the model beside it.',
    )
  const refuse = (why: string): never => {
    throw error(why)
  }
  const parsed = schema.safeParse(given)
  const [issue] = parsed.error?.issues ?? []
  if (!parsed.success) return refuse(`at \`${issue?.path.join('.') ?? ''}\`, ${issue?.message ?? ''}`)
  const metadata = parsed.data
  const tokens = metadata['tokenizer.ggml.tokens']
  const types = metadata['tokenizer.ggml.token_type'] ?? []
  const spm = metadata['tokenizer.ggml.model'] === 'llama'
  const parts = (spm ? pieces(metadata, error) : byteLevel(metadata, refuse)) as { readonly model: object }
  const standing = tokens.flatMap((content, at) => {
    const special = types[at] === CONTROL
    return special || types[at] === USER_DEFINED ? [{ id: at, content, special, normalized: false }] : []
  })
  const added = standing.map((each) => ({ ...each, single_word: false, lstrip: false, rstrip: false }))
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
