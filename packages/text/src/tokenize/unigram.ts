import type { ModelFile } from './schema.js'
import { type Prefixes, trieOf } from './token-trie.js'
import { type WordModel, byteTokensOf } from './word-model.js'
import type { Work } from './work.js'

/** Penalty of an unknown character, relative to the lowest score of the vocabulary. */
const UNKNOWN_PENALTY = 10
/** Steps per unit of a word, and per unit that a lookup of tokens examines. */
const [STEPS_PER_UNIT, STEPS_PER_EXAMINED] = [8, 3]
/** Bytes per unit of a word. */
const BYTES_PER_UNIT = 20

/** Viterbi paths: the last token of the best path to each index of a word; start −1 if there is no path yet. */
interface Paths {
  readonly ids: Int32Array
  readonly starts: Int32Array
  readonly scores: Float64Array
}

const makePaths = (length: number): Paths => ({
  ids: new Int32Array(length),
  starts: new Int32Array(length),
  scores: new Float64Array(length),
})

/** Vocabulary and scores of the model. */
interface Scores {
  readonly prefixes: Prefixes
  readonly scores: readonly number[]
  readonly unknown: number
  /** Score of an unknown character. */
  readonly penalty: number
}

/** Finds the best path to each index of a word. */
function findPaths(word: string, { prefixes, scores, unknown, penalty }: Scores, paths: Paths, work: Work): void {
  const { ids, starts, scores: best } = paths
  starts.fill(-1, 0, word.length + 1)
  best[0] = 0
  let start = 0
  const offer = (id: number, end: number, gain: number): void => {
    const score = gain + best[start]!
    if (starts[end] !== -1 && !(score > best[end]!)) return
    ids[end] = id
    starts[end] = start
    best[end] = score
  }
  let [single, hasSingle] = [0, false]
  const found = (id: number, end: number): void => {
    offer(id, end, scores[id]!)
    hasSingle ||= end === single
  }
  for (; start < word.length; start = single) {
    single = start + (word.codePointAt(start)! > 0xffff ? 2 : 1)
    hasSingle = false
    work.spend(STEPS_PER_UNIT + STEPS_PER_EXAMINED * prefixes(word, start, found))
    if (!hasSingle) offer(unknown, single, penalty)
  }
}

/** Maximum length of words that share memory for their paths, in units. */
const SHARED = 1000

/**
 * Unigram tokenization: splits a word into the most probable sequence of tokens (Viterbi search). Adjacent unknown characters
 * become one token, or the tokens of their bytes (byte fallback).
 * Source: Kudo, Subword Regularization: Improving Neural Network Translation Models with Multiple Subword Candidates, 2018,
 * section 3.2.
 */
export function unigram(model: ModelFile<'Unigram'>): WordModel {
  const tokens = model.vocab.map(([token]) => token)
  const scores = model.vocab.map(([, score]) => score)
  const idOf = new Map(tokens.map((token, id) => [token, id]))
  const bytesOf = model.byte_fallback ? byteTokensOf(idOf) : () => undefined
  const unknown = model.unk_id ?? -1
  const penalty = scores.reduce((minimum, score) => Math.min(minimum, score), Infinity) - UNKNOWN_PENALTY
  const lookup: Scores = { prefixes: trieOf(tokens), scores, unknown, penalty }
  const shared = makePaths(SHARED + 1)
  return (word, work) => {
    const held = word.length > SHARED ? BYTES_PER_UNIT * word.length : 0
    work.hold(held)
    const paths = word.length > SHARED ? makePaths(word.length + 1) : shared
    findPaths(word, lookup, paths, work)
    const [ids, starts, ends] = [[] as number[], [] as number[], [] as number[]]
    const add = (start: number, end: number): void => {
      const text = word.slice(start, end)
      const id = idOf.get(text) ?? bytesOf(text, work) ?? unknown
      if (id === -1) work.refuse('it has no `unk_id` for characters outside its vocabulary')
      for (const each of typeof id === 'number' ? [id] : id) {
        ids.push(each)
        starts.push(start)
        ends.push(end)
      }
    }
    const path: number[] = []
    for (let end = word.length; end > 0; end = paths.starts[end]!) path.push(end)
    for (let start = 0; path.length > 0;) {
      let end = path.pop()!
      if (paths.ids[end] === unknown) while (path.length > 0 && paths.ids[path.at(-1)!] === unknown) end = path.pop()!
      add(start, end)
      start = end
    }
    work.hold(-held)
    return { ids, starts, ends }
  }
}
