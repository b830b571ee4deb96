import { AttuneError } from '@attune/core'
import { numberHeap } from './number-heap.js'
import type { ModelFile } from './schema.js'
import { type ByteTokens, type WordModel, byteTokensOf, wholeWord } from './word-model.js'
import type { Work } from './work.js'

/** The merge of two adjacent symbols: its rank (lower merges first) and the merged id. */
interface Merge {
  readonly rank: number
  readonly id: number
}

/** Upper bounds of ids and of indices; a pair of them fits into one exact number. */
const IDS = 2 ** 22
const INDICES = 2 ** 30

/** Steps per word and per symbol, and bytes per symbol during merging. */
const [STEPS_PER_WORD, STEPS_PER_SYMBOL, BYTES_PER_SYMBOL] = [10, 12, 64]

/** Symbols of a word as parallel arrays: ids, and ranges in the word. */
interface Symbols {
  readonly ids: number[]
  readonly starts: number[]
  readonly ends: number[]
}

/** @throws AttuneError `BAD_TOKENIZER` if a merge is not one of two tokens whose concatenation is a token */
function mergesOf(model: ModelFile<'BPE'>, vocabulary: ReadonlyMap<string, number>): Map<number, Merge> {
  const prefix = model.continuing_subword_prefix ?? ''
  const merges = new Map<number, Merge>()
  for (const [rank, merge] of model.merges.entries()) {
    // The first line of a merges.txt.
    if (typeof merge === 'string' && merge.startsWith('#version')) continue
    const [left, right, more] = typeof merge === 'string' ? (merge.split(' ') as [string, string?, string?]) : merge
    const joined = left + (right ?? '').slice(prefix.length)
    const [a, b, id] = [vocabulary.get(left), vocabulary.get(right ?? ''), vocabulary.get(joined)]
    if (a === undefined || b === undefined || id === undefined || more !== undefined)
      throw new AttuneError(
        'BAD_TOKENIZER',
        `at \`model.merges.${rank}\`, expected two tokens whose concatenation is in the vocabulary, got ${JSON.stringify(merge).slice(0, 80)}`,
        'Use the vocabulary and the merges of the same tokenizer.',
      )
    merges.set(a * IDS + b, { rank, id })
  }
  return merges
}

/** Number of symbols from which typed arrays are faster. */
const LONG = 256

/** Ids of symbols, bytes and the unknown token. */
interface Lookup {
  readonly vocabulary: ReadonlyMap<string, number>
  readonly bytesOf: ByteTokens
  readonly unknown: number | undefined
}

/** Builds the symbols of a word. */
interface SymbolList {
  readonly symbols: Symbols
  add(id: number, start: number, end: number): void
  /** Adds the pending unknown token, if there is one. */
  flush(): void
  /** Makes a character an unknown token, which is added at the next flush. */
  addUnknown(start: number, end: number): void
}

function symbolList(model: ModelFile<'BPE'>, unknown: number | undefined, work: Work): SymbolList {
  const symbols: Symbols = { ids: [], starts: [], ends: [] }
  let [start, end] = [-1, -1]
  const add = (id: number, from: number, to: number): void => {
    symbols.ids.push(id)
    symbols.starts.push(from)
    symbols.ends.push(to)
  }
  const flush = (): void => {
    if (start < 0) return
    add(unknown!, start, end)
    start = -1
  }
  return {
    symbols,
    add,
    flush,
    addUnknown(from, to) {
      if (model.unk_token == null) return
      if (unknown === undefined) work.refuse(`its vocabulary lacks the unknown token "${model.unk_token.slice(0, 80)}"`)
      if (start < 0 || !model.fuse_unk) {
        flush()
        start = from
      }
      end = to
    },
  }
}

/** Initial symbols of a word: its characters, their bytes (byte fallback), or the unknown token. */
function symbolsOf(
  word: string,
  model: ModelFile<'BPE'>,
  { vocabulary, bytesOf, unknown }: Lookup,
  work: Work,
): Symbols {
  const [prefix, suffix] = [model.continuing_subword_prefix ?? '', model.end_of_word_suffix ?? '']
  work.spend((STEPS_PER_SYMBOL + prefix.length + suffix.length) * word.length)
  const { symbols, add, flush, addUnknown } = symbolList(model, unknown, work)
  let start = 0
  for (const character of word) {
    const end = start + character.length
    const spelt = (start > 0 ? prefix : '') + character + (end === word.length ? suffix : '')
    const id = vocabulary.get(spelt)
    const bytes = id === undefined ? bytesOf(spelt, work) : undefined
    if (id !== undefined) {
      flush()
      add(id, start, end)
    } else if (bytes === undefined) addUnknown(start, end)
    else {
      // A pending unknown token is added after the bytes: so the Rust library orders them.
      work.hold(BYTES_PER_SYMBOL * bytes.length)
      for (const byte of bytes) add(byte, start, end)
    }
    start = end
  }
  flush()
  return symbols
}

/** Merges adjacent symbols in rank order; equal ranks from left to right. */
function mergeSymbols({ ids, starts, ends }: Symbols, merges: ReadonlyMap<number, Merge>): Symbols {
  const count = ids.length
  const [next, previous] = count < LONG ? [ids.slice(), ids.slice()] : [new Int32Array(count), new Int32Array(count)]
  for (let i = 0; i < count; i++) {
    next[i] = i + 1 < count ? i + 1 : -1
    previous[i] = i - 1
  }
  const gone = new Uint8Array(ids.length)
  const queue = numberHeap()
  const mergeAt = (index: number): Merge | undefined =>
    next[index] === -1 ? undefined : merges.get(ids[index]! * IDS + ids[next[index]!]!)
  const enqueue = (index: number): void => {
    const merge = mergeAt(index)
    if (merge !== undefined) queue.push(merge.rank * INDICES + index)
  }
  for (let index = 0; index + 1 < ids.length; index++) enqueue(index)
  for (let top = queue.pop(); top !== undefined; top = queue.pop()) {
    const index = top % INDICES
    const merge = gone[index] === 1 ? undefined : mergeAt(index)
    // Stale entry: the symbols have changed since it was queued.
    if (merge === undefined || merge.rank !== Math.floor(top / INDICES)) continue
    const right = next[index]!
    ids[index] = merge.id
    ends[index] = ends[right]!
    gone[right] = 1
    next[index] = next[right]!
    if (next[index] !== -1) previous[next[index]!] = index
    if (previous[index] !== -1) enqueue(previous[index]!)
    enqueue(index)
  }
  const kept = (values: readonly number[]): number[] => values.filter((_, i) => gone[i] === 0)
  return { ids: kept(ids), starts: kept(starts), ends: kept(ends) }
}

/**
 * Byte-pair encoding (BPE): splits a word into characters and merges adjacent symbols in the order of the learned merges.
 * Source: Sennrich, Haddow and Birch, Neural Machine Translation of Rare Words with Subword Units, 2016, section 3.2.
 */
export function bytePair(model: ModelFile<'BPE'>, vocabulary: ReadonlyMap<string, number>): WordModel {
  const merges = mergesOf(model, vocabulary)
  const unknown = model.unk_token == null ? undefined : vocabulary.get(model.unk_token)
  const bytesOf = model.byte_fallback ? byteTokensOf(vocabulary) : () => undefined
  const lookup: Lookup = { vocabulary, bytesOf, unknown }
  return (word, work) => {
    work.spend(STEPS_PER_WORD + word.length)
    const whole = model.ignore_merges ? vocabulary.get(word) : undefined
    if (whole !== undefined) return wholeWord(word, whole)
    work.hold(BYTES_PER_SYMBOL * word.length)
    const symbols = symbolsOf(word, model, lookup, work)
    const count = symbols.ids.length
    // Each symbol enters and leaves the heap a few times.
    work.spend(STEPS_PER_SYMBOL * count * (1 + Math.log2(1 + count) / 4))
    const made = mergeSymbols(symbols, merges)
    work.hold(-BYTES_PER_SYMBOL * Math.max(word.length, count))
    return made
  }
}
