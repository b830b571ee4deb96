import { type AlignedText, aligned, sliceOf } from './aligned-text.js'
import { addedTokenFinder } from './added-tokens.js'
import { bytePair } from './byte-pair.js'
import { isDivisible, nextCut } from './chunks.js'
import { normalizerOf } from './normalizers.js'
import { preTokenizerOf } from './pre-tokenizers.js'
import { type TokenizerFile, tokenizerFileSchema } from './schema.js'
import { stepsIn } from './steps-in.js'
import type { TextTokens } from './text-tokens.js'
import { unigram } from './unigram.js'
import type { WordModel } from './word-model.js'
import { wordLevel, wordPiece } from './word-piece.js'

/** Cuts a text into tokens, without those of a template. With `limit` it may stop after so many. */
export type Pipeline = (text: string, limit?: number) => TextTokens

/** How many parts of texts are remembered, and of how many units each at most. */
const REMEMBERED = { parts: 2 ** 16, units: 64 }

const nothing = (): TextTokens => ({ ids: [], starts: [], ends: [] })

function append(to: TextTokens, { ids, starts, ends }: TextTokens, shift: number): void {
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

/** Tokenizes a part of a text by all steps; `first` says whether it begins where the whole text does. */
function steps(
  file: TokenizerFile,
  vocabulary: ReadonlyMap<string, number>,
): (part: string, first: boolean) => TextTokens {
  const normalize = normalizerOf(stepsIn(file.normalizer))
  const preTokenize = preTokenizerOf(stepsIn(file.pre_tokenizer))
  const findAdded = addedTokenFinder(
    file.normalizer == null ? [] : file.added_tokens.filter(({ normalized }) => normalized),
  )
  const tokenize = wordModelOf(file, vocabulary)
  const addWord = (to: TextTokens, word: AlignedText): void => {
    if (word.text === '') return
    const tokens = tokenize(word.text)
    for (const [i, id] of tokens.ids.entries()) {
      to.ids.push(id)
      to.starts.push(word.starts[tokens.starts[i]!]!)
      to.ends.push(word.ends[tokens.ends[i]! - 1]!)
    }
  }
  return (part, first) => {
    const tokens = nothing()
    const text = normalize(aligned(part, 0))
    for (const { start, end, id } of findAdded(text.text)) {
      const piece = sliceOf(text, start, end)
      if (id === undefined) for (const word of preTokenize(piece, first && start === 0)) addWord(tokens, word)
      else {
        tokens.ids.push(id)
        tokens.starts.push(piece.starts[0]!)
        tokens.ends.push(piece.ends.at(-1)!)
      }
    }
    return tokens
  }
}

/**
 * What a tokenizer.json does to a well-formed text, step by step and offset for offset as the Rust library does it.
 *
 * Where the steps allow it, the text is cut before single spaces and the tokens of parts that were seen before are remembered:
 * in real text nine parts of ten are.
 * @param vocabulary the ids of the model's tokens
 */
export function pipelineOf(file: TokenizerFile, vocabulary: ReadonlyMap<string, number>): Pipeline {
  const raw = file.normalizer == null ? file.added_tokens : file.added_tokens.filter(({ normalized }) => !normalized)
  const findAdded = addedTokenFinder(raw)
  const tokenize = steps(file, vocabulary)
  const divisible = isDivisible(file)
  const [remembered, rememberedFirst] = [new Map<string, TextTokens>(), new Map<string, TextTokens>()]
  const recall = (part: string, first: boolean): TextTokens => {
    const known = first ? rememberedFirst : remembered
    const found = known.get(part)
    if (found !== undefined) return found
    const tokens = tokenize(part, first)
    if (part.length <= REMEMBERED.units) {
      if (known.size >= REMEMBERED.parts) known.clear()
      known.set(part, tokens)
    }
    return tokens
  }
  return (text, limit = Infinity) => {
    const tokens = nothing()
    for (const { start, end, id } of findAdded(text)) {
      if (tokens.ids.length > limit) break
      if (id !== undefined) append(tokens, { ids: [id], starts: [start], ends: [end] }, 0)
      else
        for (let at = start; at < end && tokens.ids.length <= limit;) {
          const cut = divisible ? nextCut(text, at, end) : end
          append(tokens, recall(text.slice(at, cut), at === 0), at)
          at = cut
        }
    }
    return tokens
  }
}

/** The words that a tokenizer.json cuts a text into, before its model cuts them into tokens: what a vocabulary is trained on. */
export function wordsOf(json: Readonly<Record<string, unknown>>): (text: string) => string[] {
  const file = tokenizerFileSchema.parse(json)
  const normalize = normalizerOf(stepsIn(file.normalizer))
  const preTokenize = preTokenizerOf(stepsIn(file.pre_tokenizer))
  return (text) => preTokenize(normalize(aligned(text.toWellFormed(), 0)), true).map((word) => word.text)
}
