import { numberHeap } from './number-heap.js'
import type { ModelFile } from './schema.js'
import { type ByteTokens, type WordModel, byteTokensOf, wholeWord } from './word-model.js'
import type { Work } from './work.js'

/** What two neighbours become, and how early that was learned. */
interface Merge {
  readonly rank: number
  readonly id: number
}

/** Ids and places are below these, so that a pair of them is one exact number. */
const IDS = 2 ** 22
const PLACES = 2 ** 30

/** Steps for a word and for a symbol of one, and bytes that a symbol takes while symbols are merged. */
const [STEPS_PER_WORD, STEPS_PER_SYMBOL, BYTES_PER_SYMBOL] = [10, 12, 64]

/** The symbols of a word, linked to their neighbours; −1 for none. */
interface Symbols {
  readonly ids: number[]
  readonly starts: number[]
  readonly ends: number[]
}

function mergesOf(model: ModelFile<'BPE'>, vocabulary: ReadonlyMap<string, number>): Map<number, Merge> {
  const prefix = model.continuing_subword_prefix ?? ''
  const merges = new Map<number, Merge>()
  for (const [rank, merge] of model.merges.entries()) {
    const [left, right] = typeof merge === 'string' ? (merge.split(' ') as [string, string?]) : merge
    const joined = left + (right ?? '').slice(prefix.length)
    const [a, b, id] = [vocabulary.get(left), vocabulary.get(right ?? ''), vocabulary.get(joined)]
    if (a !== undefined && b !== undefined && id !== undefined) merges.set(a * IDS + b, { rank, id })
  }
  return merges
}

/** Symbols from which on typed arrays pay. */
const LONG = 256

/** What a word's symbols are looked up in. */
interface Lookup {
  readonly vocabulary: ReadonlyMap<string, number>
  readonly bytesOf: ByteTokens
  readonly unknown: number | undefined
}

/** The first symbols of a word: its characters, or their bytes, or what is unknown. */
function symbolsOf(
  word: string,
  model: ModelFile<'BPE'>,
  { vocabulary, bytesOf, unknown }: Lookup,
  work: Work,
): Symbols {
  const symbols: Symbols = { ids: [], starts: [], ends: [] }
  const added = (model.continuing_subword_prefix ?? '').length + (model.end_of_word_suffix ?? '').length
  work.spend((STEPS_PER_SYMBOL + added) * word.length)
  let afterUnknown = false
  let start = 0
  for (const character of word) {
    const end = start + character.length
    const spelt =
      (start > 0 ? (model.continuing_subword_prefix ?? '') : '') +
      character +
      (end === word.length ? (model.end_of_word_suffix ?? '') : '')
    const id = vocabulary.get(spelt)
    const found = id !== undefined ? [id] : bytesOf(spelt, work)
    if (found !== undefined && found.length > 1) work.hold(BYTES_PER_SYMBOL * found.length)
    const isUnknown = found === undefined
    if (isUnknown && afterUnknown && model.fuse_unk) symbols.ends[symbols.ends.length - 1] = end
    else
      for (const each of found ?? (unknown === undefined ? [] : [unknown])) {
        symbols.ids.push(each)
        symbols.starts.push(start)
        symbols.ends.push(end)
      }
    afterUnknown = isUnknown && unknown !== undefined
    start = end
  }
  return symbols
}

/** Joins neighbours, those that were learned first before others, from the left. */
function merged({ ids, starts, ends }: Symbols, merges: ReadonlyMap<number, Merge>): Symbols {
  const count = ids.length
  const [next, previous] = count < LONG ? [ids.slice(), ids.slice()] : [new Int32Array(count), new Int32Array(count)]
  for (let i = 0; i < count; i++) {
    next[i] = i + 1 < count ? i + 1 : -1
    previous[i] = i - 1
  }
  const gone = new Uint8Array(ids.length)
  const queue = numberHeap()
  const mergeAt = (place: number): Merge | undefined =>
    next[place] === -1 ? undefined : merges.get(ids[place]! * IDS + ids[next[place]!]!)
  const enqueue = (place: number): void => {
    const merge = mergeAt(place)
    if (merge !== undefined) queue.push(merge.rank * PLACES + place)
  }
  for (let place = 0; place + 1 < ids.length; place++) enqueue(place)
  for (let top = queue.pop(); top !== undefined; top = queue.pop()) {
    const place = top % PLACES
    const merge = gone[place] === 1 ? undefined : mergeAt(place)
    // What was queued has changed since.
    if (merge === undefined || merge.rank !== Math.floor(top / PLACES)) continue
    const right = next[place]!
    ids[place] = merge.id
    ends[place] = ends[right]!
    gone[right] = 1
    next[place] = next[right]!
    if (next[place] !== -1) previous[next[place]!] = place
    if (previous[place] !== -1) enqueue(previous[place]!)
    enqueue(place)
  }
  const kept = (values: readonly number[]): number[] => values.filter((_, i) => gone[i] === 0)
  return { ids: kept(ids), starts: kept(starts), ends: kept(ends) }
}

/**
 * Cuts a word into characters and joins neighbours in the order in which pairs were learned to be joined.
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
    // Each symbol is put into the heap and taken out a few times.
    work.spend(STEPS_PER_SYMBOL * count * (1 + Math.log2(1 + count) / 4))
    const made = merged(symbols, merges)
    work.hold(-BYTES_PER_SYMBOL * Math.max(word.length, count))
    return made
  }
}
