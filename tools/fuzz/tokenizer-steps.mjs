// @ts-check
/** Generates parts of a tokenizer.json from its schema: sequences of steps over few letters, which feed one another. */
import { below, magnitude, pick } from './random.mjs'

/** @import { Random } from './random.mjs' */

const LETTERS = ['a', 'b', ' ', '▁', '\u0301', 'é', '1', '.', '東', 'aa', 'ab']
const BEHAVIORS = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']
const EXPRESSIONS = [
  'a',
  '\\s+',
  '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+',
  '\\p{N}{1,3}',
  ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*',
  '\\s+(?!\\S)',
  "(?i:'s|'t|'re)",
  '[a-z]*a?',
  'a{1,99}',
  '(?:a|b)*b',
  '.+',
  '\\w+?',
]

/** Letters repeated up to the 100 characters that the schema allows. @param {Random} random */
const content = (random) =>
  pick(LETTERS, random)
    .repeat(magnitude(1, 100, random))
    .slice(0, 100)

/** A regular expression composed of simpler ones. @param {Random} random @param {number} [depth] @returns {string} */
export function expression(random, depth = 0) {
  const inner = () => (depth > 3 ? pick(EXPRESSIONS, random) : expression(random, depth + 1))
  switch (below(7, random)) {
    case 0:
      return inner() + inner()
    case 1:
      return `${inner()}|${inner()}`
    case 2:
      return `(?:${inner()})${pick(['*', '+', '?', '{2,20}', '*?'], random)}`
    case 3:
      return `(?:${pick(['a?', 'a*', '(?:a|b)?', '\\p{L}?'], random).repeat(magnitude(1, 300, random))})${pick(LETTERS, random)}`
    default:
      return pick(EXPRESSIONS, random)
  }
}

/** @param {Random} random */
const pattern = (random) => (random() < 0.5 ? { String: pick(LETTERS, random) } : { Regex: expression(random) })

/** @param {Random} random */
function normalizer(random) {
  switch (below(6, random)) {
    case 0:
    case 1:
      return { type: 'Replace', pattern: pattern(random), content: content(random) }
    case 2:
      return { type: 'Prepend', prepend: content(random) }
    case 3:
      return { type: 'Strip', strip_left: random() < 0.5, strip_right: random() < 0.5 }
    case 4:
      return { type: 'BertNormalizer', lowercase: random() < 0.5, strip_accents: pick([true, false, null], random) }
    default:
      return { type: pick(['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents', 'Nmt', 'ByteLevel'], random) }
  }
}

/** @param {Random} random */
function preTokenizer(random) {
  switch (below(7, random)) {
    case 0:
    case 1:
      return {
        type: 'Split',
        pattern: pattern(random),
        behavior: pick(BEHAVIORS, random),
        invert: random() < 0.3,
      }
    case 2:
      return {
        type: 'Metaspace',
        replacement: pick(LETTERS, random),
        prepend_scheme: pick(['always', 'first', 'never'], random),
      }
    case 3:
      return { type: 'CharDelimiterSplit', delimiter: pick(LETTERS, random) }
    case 4:
      return { type: 'CharacterNGrams', size: magnitude(1, 100, random) }
    case 5:
      return { type: pick(['Punctuation', 'Digits'], random), behavior: pick(BEHAVIORS, random) }
    default:
      return { type: pick(['BertPreTokenizer', 'Whitespace', 'WhitespaceSplit', 'ByteLevel'], random) }
  }
}

/** @param {Random} random */
function decoder(random) {
  switch (below(4, random)) {
    case 0:
      return { type: 'Replace', pattern: { String: pick(LETTERS, random) }, content: content(random) }
    case 1:
      return { type: 'Strip', content: pick(LETTERS, random), start: below(100, random), stop: below(100, random) }
    case 2:
      return { type: 'WordPiece', prefix: pick(LETTERS, random), cleanup: random() < 0.5 }
    default:
      return { type: pick(['ByteLevel', 'ByteFallback', 'Fuse', 'Metaspace', 'BPEDecoder'], random) }
  }
}

/** @param {string} key @param {(random: Random) => object} step @param {Random} random */
const sequence = (key, step, random) => ({
  type: 'Sequence',
  [key]: Array.from({ length: magnitude(1, 20, random) }, () => step(random)),
})

/** A text and its repetitions: twice, three times and so on. @param {Random} random */
function ladder(random) {
  const letter = pick(LETTERS, random)
  return Array.from({ length: magnitude(2, random() < 0.1 ? 800 : 60, random) }, (_, i) => letter.repeat(i + 2))
}

/** A model without a limit on word length, whose vocabulary has increasingly long tokens of one letter. @param {any} model @param {Random} random */
function extended(model, random) {
  const tokens = ladder(random)
  const unbounded = model.type === 'WordPiece' ? { max_input_chars_per_word: pick([1, 100, 1e6, 1e9], random) } : {}
  if (model.type === 'Unigram') return { ...model, vocab: [...model.vocab, ...tokens.map((token, i) => [token, -i])] }
  const first = Object.keys(model.vocab).length
  const vocab = { ...model.vocab, ...Object.fromEntries(tokens.map((token, i) => [token, first + i])) }
  if (model.type !== 'BPE') return { ...model, ...unbounded, vocab }
  const [letter = ''] = tokens[0] ?? ''
  const merges = tokens.map((token) => [token.slice(letter.length), letter])
  return {
    ...model,
    vocab: { [letter]: first + tokens.length, ...vocab },
    merges: [...(model.merges ?? []), ...merges],
  }
}

/** Added tokens that are substrings of one another. @param {Random} random */
const addedTokens = (random) =>
  ladder(random).map((content, i) => ({
    id: 100_000 + i,
    content,
    ...Object.fromEntries(['single_word', 'lstrip', 'rstrip', 'normalized'].map((flag) => [flag, random() < 0.2])),
    special: false,
  }))

/** A tokenizer.json with one or several parts generated. @param {string} text of a tokenizer.json @param {Random} random */
export function withMadeSteps(text, random) {
  const file = JSON.parse(text)
  const made = {
    ...(random() < 0.5 ? { normalizer: random() < 0.3 ? null : sequence('normalizers', normalizer, random) } : {}),
    ...(random() < 0.5
      ? { pre_tokenizer: random() < 0.3 ? null : sequence('pretokenizers', preTokenizer, random) }
      : {}),
    ...(random() < 0.3 ? { decoder: sequence('decoders', decoder, random) } : {}),
    ...(random() < 0.4 ? { model: extended(file.model, random) } : {}),
    ...(random() < 0.2 ? { added_tokens: [...file.added_tokens, ...addedTokens(random)] } : {}),
  }
  return JSON.stringify({ ...file, ...made })
}
