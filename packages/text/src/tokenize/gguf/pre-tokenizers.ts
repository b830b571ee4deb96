import {
  DEEPSEEK_PATTERN,
  GPT2_PATTERN,
  IDEOGRAPHS_PATTERN,
  LLAMA3_PATTERN,
  MARKED_PATTERN,
  O200K_PATTERN,
  QWEN2_PATTERN,
  TEKKEN_PATTERN,
} from '../patterns.js'

/** Pre-tokenizer of a byte-level tokenizer, and what llama.cpp derives from its name. */
export interface PreTokenizer {
  /** Steps of the pre-tokenizer. */
  readonly steps: readonly object[]
  readonly normalizer?: object
  /** True if words in the vocabulary bypass the merges. */
  readonly wholeWords?: boolean
  /** True if the BOS token is added, unless the file says otherwise. */
  readonly begins?: boolean
  /** Tokens that include the space on their left in a match. */
  readonly stripsLeft?: readonly string[]
}

const splitAt = (expression: string): object => ({
  type: 'Split',
  pattern: { Regex: expression },
  behavior: 'Isolated',
  invert: false,
})
const BYTES = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }
const splitBy = (...expressions: readonly string[]): PreTokenizer => ({
  steps: [...expressions.map(splitAt), BYTES],
})
const composed = (preTokenizer: PreTokenizer): PreTokenizer => ({ ...preTokenizer, normalizer: { type: 'NFC' } })

const ANY_DIGITS = '\\p{N}{1,3}'
const GPT2 = splitBy(GPT2_PATTERN)
const INDIVIDUAL_DIGITS = splitBy('\\p{N}', GPT2_PATTERN)
const LLAMA3 = { ...splitBy(LLAMA3_PATTERN), wholeWords: true, begins: true }
const QWEN2 = splitBy(QWEN2_PATTERN)
const O200K = splitBy(O200K_PATTERN)
const DEEPSEEK3 = splitBy(ANY_DIGITS, IDEOGRAPHS_PATTERN, DEEPSEEK_PATTERN)
const BAILING = splitBy(
  String.raw`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`,
)
/** Words up to punctuation of several scripts. */
const BLOOM_PATTERN = String.raw` ?[^(\s|.,!?\x{2026}\x{3002}\x{ff0c}\x{3001}\x{964}\x{6d4}\x{60c})]+`
const BLOOM = splitBy(BLOOM_PATTERN)

/** Letters with case, in Unicode 11, as DeepSeek LLM lists them. */
const CASED = String.raw`A-Za-z\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba}\x{1bc}-\x{1bf}\x{1c4}-\x{293}\x{295}-\x{2af}\x{370}-\x{373}\x{376}\x{377}\x{37b}-\x{37d}\x{37f}\x{386}\x{388}-\x{38a}\x{38c}\x{38e}-\x{3a1}\x{3a3}-\x{3f5}\x{3f7}-\x{481}\x{48a}-\x{52f}\x{531}-\x{556}\x{10a0}-\x{10c5}\x{13a0}-\x{13f5}\x{13f8}-\x{13fd}\x{1c90}-\x{1cba}\x{1cbd}-\x{1cbf}\x{1d00}-\x{1d2b}\x{1d6b}-\x{1d77}\x{1d79}-\x{1d9a}\x{1e00}-\x{1f15}\x{1f18}-\x{1f1d}\x{1f20}-\x{1f45}\x{1f48}-\x{1f4d}\x{1f50}-\x{1f57}\x{1f59}\x{1f5b}\x{1f5d}\x{1f5f}-\x{1f7d}\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}\x{1fc2}-\x{1fc4}\x{1fc6}-\x{1fcc}\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}\x{1ff2}-\x{1ff4}\x{1ff6}-\x{1ffc}\x{2102}\x{2107}\x{210a}-\x{2113}\x{2115}\x{2119}-\x{211d}\x{2124}\x{2126}\x{2128}\x{212a}-\x{212d}\x{212f}-\x{2134}\x{2139}\x{213c}-\x{213f}\x{2145}-\x{2149}\x{214e}\x{2183}\x{2184}\x{2c00}-\x{2c7b}\x{2c7e}-\x{2ce4}\x{2ceb}-\x{2cee}\x{2cf2}\x{2cf3}\x{a640}-\x{a66d}\x{a680}-\x{a69b}\x{a722}-\x{a76f}\x{a771}-\x{a787}\x{a78b}-\x{a78e}\x{ab70}-\x{abbf}\x{fb00}-\x{fb06}\x{fb13}-\x{fb17}\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a}\x{10400}-\x{1044f}\x{104b0}-\x{104d3}\x{104d8}-\x{104fb}\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2}\x{118a0}-\x{118df}\x{1e900}-\x{1e943}`
/** CJK ideographs and what DeepSeek counts among them. */
const WIDE_IDEOGRAPHS = String.raw`[\x{4e00}-\x{9fa5}\x{800}-\x{4e00}\x{ac00}-\x{d7ff}]+`
const DEEPSEEK_LLM = splitBy(
  '[\r\n]',
  `\\s?[${CASED}]+`,
  String.raw`\s?[!-/:-~\x{ff01}-\x{ff0f}\x{ff1a}-\x{ff5e}\x{2018}-\x{201f}\x{3000}-\x{3002}]+`,
  '\\s+$',
  WIDE_IDEOGRAPHS,
  '\\p{N}+',
)
const DEEPSEEK_CODER = splitBy('[\r\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', WIDE_IDEOGRAPHS, '\\p{N}')

/** Falcon's own steps: digits are split in threes after the conversion to bytes. */
const FALCON: PreTokenizer = {
  steps: [
    { type: 'Punctuation', behavior: 'Contiguous' },
    { ...BYTES, use_regex: true },
    { type: 'Digits', individual_digits: false },
    splitAt('[0-9][0-9][0-9]'),
  ],
}

/** Any case of an English contraction, as Llama 3 has it. */
const SAID = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const SEED_CODER = splitBy(
  String.raw`${SAID}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+`,
)
const EXAONE_MOE = splitBy(
  String.raw`${SAID}|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+`,
)
const MINICPM5: PreTokenizer = {
  ...splitBy(ANY_DIGITS, LLAMA3_PATTERN.replace('{1,3}', '+')),
  wholeWords: true,
}
const SPARK = splitBy(
  ANY_DIGITS,
  IDEOGRAPHS_PATTERN,
  DEEPSEEK_PATTERN.replace(String.raw`[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+`, String.raw`[\p{P}\p{S}]+|[\r\n]`),
  '\\p{N}',
)
const YOUTU: PreTokenizer = {
  ...splitBy(
    String.raw`[\x{ac00}-\x{d7a3}\x{3131}-\x{318e}]+|[\x{ff01}\x{2026}\x{201c}\x{201d}\x{2018}\x{2019}\x{2014}\x{ff1a}\x{ff1b}\x{ff0c}\x{3001}-\x{303f}\x{fe30}-\x{fe4f}]+|[\x{3105}-\x{312f}]+|[\x{4e00}-\x{9fa5}\x{3040}-\x{309f}\x{30a0}-\x{30ff}]+`,
    O200K_PATTERN.replace('\\p{N}{1,3}', '\\p{N}'),
  ),
  wholeWords: true,
}
const CHAMELEON: PreTokenizer = {
  ...splitBy(
    '<sentinel:[0-9]+>',
    '(?:IMGIMG)(?:(?:A|B|C|D|E|F|G|H|I){1,4})Z',
    '(?:[\\t\\n]|    |  )',
    '\\p{N}',
    String.raw`[\p{P}!-/:-@\[-\x60{-~]`,
    GPT2_PATTERN,
  ),
  begins: true,
}

/** Names of each pre-tokenizer in `tokenizer.ggml.pre`. */
const NAMES: readonly (readonly [preTokenizer: PreTokenizer, names: string])[] = [
  [LLAMA3, 'llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano'],
  [splitBy(LLAMA3_PATTERN), 'dbrx smaug-bpe glm4 chatglm-bpe'],
  [composed(QWEN2), 'qwen2'],
  [composed(splitBy(MARKED_PATTERN)), 'qwen35'],
  [QWEN2, 'deepseek-r1-qwen kormo f2llmv2 megrez stablelm2 hunyuan solar-open grok-2'],
  [splitBy('[^\\n]+|[\\n]+', QWEN2_PATTERN), 'laguna'],
  [splitBy(QWEN2_PATTERN.replace(`${SAID}|`, '')), 'ufakzeka'],
  [GPT2, 'default gpt-2 phi-2 gigachat a.x-4.0 mellum jais trillion granite-docling exaone4'],
  [GPT2, 'jina-es jina-de jina-v1-en roberta-bpe'],
  [{ ...GPT2, stripsLeft: ['<mask>'] }, 'jina-v2-es jina-v2-de jina-v2-code'],
  [composed(GPT2), 'mpt olmo'],
  [{ ...composed(GPT2), stripsLeft: ['[MASK]'] }, 'modern-bert'],
  [INDIVIDUAL_DIGITS, 'smollm starcoder refact command-r codeshell exaone minerva-7b mellum2'],
  [{ ...splitBy(TEKKEN_PATTERN), wholeWords: true, begins: true }, 'tekken'],
  [O200K, 'gpt-4o llama4 kanana2 talkie minimax-m2'],
  [{ ...O200K, wholeWords: true }, 'granite-embed-multi-97m'],
  [FALCON, 'falcon'],
  [DEEPSEEK_LLM, 'deepseek-llm'],
  [DEEPSEEK_CODER, 'deepseek-coder'],
  [DEEPSEEK3, 'deepseek-v3 hunyuan-dense joyai-llm hy_v4'],
  [BLOOM, 'bloom poro-chat gpt3-finnish'],
  [splitBy(BLOOM_PATTERN, '\\p{N}'), 'viking'],
  [BAILING, 'bailingmoe bailingmoe2 llada-moe'],
  [SEED_CODER, 'seed-coder'],
  [EXAONE_MOE, 'exaone-moe'],
  [MINICPM5, 'minicpm5'],
  [SPARK, 'spark2_5'],
  [YOUTU, 'youtu'],
  [CHAMELEON, 'chameleon'],
]

/**
 * Pre-tokenizers of byte-level tokenizers, by their name in a GGUF file. The expressions are those of the original tokenizers, or of
 * llama.cpp where these are not known.
 */
export const PRE_TOKENIZERS: ReadonlyMap<string, PreTokenizer> = new Map(
  NAMES.flatMap(([preTokenizer, names]) => names.split(' ').map((name) => [name, preTokenizer] as const)),
)

/** Pre-tokenizers of tokenizers that spell spaces as `▁`, although their model is called `gpt2`. */
export const SPACE_MARKED: ReadonlySet<string> = new Set(['gemma4', 'granite-embed-multi-311m', 'sarvam-moe'])
