import { type AlignedText, aligned, sliceOf } from './aligned-text.js'
import { addedTokenFinder } from './added-tokens.js'
import { bytePair } from './byte-pair.js'
import { characterSets } from './character-sets.js'
import { isDivisible, nextSplit } from './chunks.js'
import { normalizedTokens } from './normalized-tokens.js'
import { normalizerOf } from './normalizers.js'
import { preTokenizerOf } from './pre-tokenizers.js'
import { type TokenizerFile, tokenizerFileSchema } from './schema.js'
import { stepsIn } from './steps-in.js'
import type { TextTokens } from './text-tokens.js'
import { unigram } from './unigram.js'
import type { WordModel } from './word-model.js'
import { type Work, workOnText } from './work.js'
import { wordLevel, wordPiece } from './word-piece.js'

/** Tokenizes a text, without special tokens. With `limit` it may stop after that many tokens. */
export type Pipeline = (text: string, work: Work, limit?: number) => TextTokens

/** Cache limits: number of parts, units per part, and total tokens. */
const REMEMBERED = { parts: 2 ** 16, units: 64, tokens: 2 ** 20 }
/** Steps per token, and bytes per token including its offsets. */
const [STEPS_PER_TOKEN, BYTES_PER_TOKEN] = [8, 48]

const noTokens = (): TextTokens => ({ ids: [], starts: [], ends: [] })

function append(to: TextTokens, { ids, starts, ends }: TextTokens, shift: number, work: Work): void {
  work.spend(STEPS_PER_TOKEN * ids.length)
  work.hold(BYTES_PER_TOKEN * ids.length)
  for (let i = 0; i < ids.length; i++) {
    to.ids.push(ids[i]!)
    to.starts.push(starts[i]! + shift)
    to.ends.push(ends[i]! + shift)
  }
}

function wordModelOf({ model }: TokenizerFile, vocabulary: ReadonlyMap<string, number>): WordModel {
  switch (model.type) {
    case 'WordPiece':
      return wordPiece(model, vocabulary)
    case 'WordLevel':
      return wordLevel(model, vocabulary)
    case 'BPE':
      return bytePair(model, vocabulary)
    case 'Unigram':
      return unigram(model)
  }
}

/** Creates a function that tokenizes a word and appends its tokens with their offsets in the original text. */
function wordAdder(tokenize: WordModel): (to: TextTokens, word: AlignedText, work: Work) => void {
  return (to, word, work) => {
    if (word.text === '') return
    work.part = 'model'
    const { first } = word
    const { ids, starts, ends } = tokenize(word.text, work)
    for (let i = 0; i < ids.length; i++) {
      to.ids.push(ids[i]!)
      to.starts.push(word.starts[first + starts[i]!]!)
      to.ends.push(word.ends[first + ends[i]! - 1]!)
    }
    work.spend(STEPS_PER_TOKEN * ids.length)
    work.hold(BYTES_PER_TOKEN * ids.length)
    work.part = 'pre_tokenizer'
  }
}

/** Added tokens that are found in the raw text, and in its normalized parts. */
function addedTokens(file: TokenizerFile) {
  const { added_tokens: all } = file
  // Without a normalizer, tokens of one kind need a single search.
  if (file.normalizer == null && (all.every((each) => each.normalized) || !all.some((each) => each.normalized)))
    return { raw: all, normalized: [] }
  return { raw: all.filter((each) => !each.normalized), normalized: normalizedTokens(file) }
}

/** Creates a function that runs all steps on a part of a text; `first` is true at the beginning of the whole text. */
function partTokenizer(
  file: TokenizerFile,
  vocabulary: ReadonlyMap<string, number>,
  splitsSpecial: boolean,
): (part: string, first: boolean, work: Work) => TextTokens {
  const sets = characterSets()
  const normalize = normalizerOf(stepsIn(file.normalizer), sets)
  const preTokenize = preTokenizerOf(stepsIn(file.pre_tokenizer), sets)
  const findAdded = addedTokenFinder(addedTokens(file).normalized, splitsSpecial)
  const addWord = wordAdder(wordModelOf(file, vocabulary))
  // The first word begins where the text does: there is none if a normalizer removed the beginning. SentencePiece's rules shift the
  // offsets in the Rust library, so that there is one.
  const shifts = stepsIn<{ readonly type: string }>(file.normalizer).some(({ type }) => type === 'Precompiled')
  return (part, first, work) => {
    const tokens = noTokens()
    const text = normalize(aligned(part, 0), work)
    work.part = 'added_tokens'
    for (const { start, end, id } of findAdded(text.text, work)) {
      const slice = sliceOf(text, start, end)
      work.part = 'pre_tokenizer'
      const leads = first && start === 0 && (shifts || (text.starts[text.first] ?? 0) === 0)
      if (id === undefined) preTokenize(slice, leads, work, (word) => addWord(tokens, word, work))
      else {
        tokens.ids.push(id)
        tokens.starts.push(text.starts[text.first + start]!)
        tokens.ends.push(text.ends[text.first + end - 1]!)
      }
    }
    return tokens
  }
}

/** A copy of a string that does not keep the string it was sliced from in memory. */
const copyOf = (text: string): string => ` ${text}`.slice(1)

/** Cache of the tokens of parts of texts. */
function tokenCache() {
  const known = new Map<string, TextTokens>()
  let count = 0
  return {
    get: (part: string): TextTokens | undefined => known.get(part),
    set(part: string, tokens: TextTokens): void {
      if (part.length > REMEMBERED.units) return
      count += tokens.ids.length
      if (known.size >= REMEMBERED.parts || count > REMEMBERED.tokens) {
        known.clear()
        count = tokens.ids.length
      }
      if (count <= REMEMBERED.tokens) known.set(copyOf(part), tokens)
    },
  }
}

/** Steps for a cache lookup. */
const STEPS_TO_RECALL = 20

/**
 * The tokenization pipeline of a tokenizer.json for well-formed texts. Matches the Rust library in ids and offsets.
 *
 * If the steps allow it, the text is split before single spaces and the tokens of its parts are cached: in natural text about
 * 90 % of the parts are repeated.
 * @param vocabulary ids of the model's tokens
 * @param splitsSpecial tokenizes special tokens in a text like other text
 */
export function pipelineOf(
  file: TokenizerFile,
  vocabulary: ReadonlyMap<string, number>,
  splitsSpecial = false,
): Pipeline {
  const findAdded = addedTokenFinder(addedTokens(file).raw, splitsSpecial)
  const tokenize = partTokenizer(file, vocabulary, splitsSpecial)
  const divisible = isDivisible(file)
  const [cached, cachedFirst] = [tokenCache(), tokenCache()]
  const recall = (part: string, first: boolean, work: Work): TextTokens => {
    work.spend(STEPS_TO_RECALL + part.length)
    const known = first ? cachedFirst : cached
    const found = known.get(part)
    if (found !== undefined) return found
    const tokens = tokenize(part, first, work)
    known.set(part, tokens)
    return tokens
  }
  return (text, work, limit = Infinity) => {
    const tokens = noTokens()
    work.part = 'added_tokens'
    const parts = findAdded(text, work)
    const isWhole = parts.length === 1 && parts[0]!.id === undefined && parts[0]!.end === text.length
    if (isWhole && (!divisible || nextSplit(text, 0, text.length) === text.length)) return recall(text, true, work)
    for (const { start, end, id } of parts) {
      if (tokens.ids.length > limit) break
      if (id !== undefined) append(tokens, { ids: [id], starts: [start], ends: [end] }, 0, work)
      else
        for (let at = start; at < end && tokens.ids.length <= limit;) {
          const next = divisible ? nextSplit(text, at, end) : end
          append(tokens, recall(text.slice(at, next), at === 0, work), at, work)
          at = next
        }
    }
    return tokens
  }
}

/** Words that a tokenizer.json splits a text into before its model runs. A vocabulary is trained on them. */
export function wordsOf(json: Readonly<Record<string, unknown>>): (text: string) => string[] {
  const file = tokenizerFileSchema.parse(json)
  const sets = characterSets()
  const normalize = normalizerOf(stepsIn(file.normalizer), sets)
  const preTokenize = preTokenizerOf(stepsIn(file.pre_tokenizer), sets)
  return (input) => {
    const words: string[] = []
    const text = input.toWellFormed()
    const work = workOnText('the tokenizer', text)
    const normalized = normalize(aligned(text, 0), work)
    work.part = 'pre_tokenizer'
    preTokenize(normalized, true, work, (word) => words.push(word.text))
    return words
  }
}
