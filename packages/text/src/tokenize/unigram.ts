import type { ModelFile } from './schema.js'
import { type WordModel, byteTokens } from './word-model.js'

/** What is taken from the score of the worst token for a character that the vocabulary lacks. */
const UNKNOWN_PENALTY = 10

/** The tokens that begin at a place of a text: calls back with the id and the end of each, shortest first. */
type Prefixes = (text: string, start: number, found: (id: number, end: number) => void) => void

/**
 * A trie of tokens in flat arrays: each node knows its first child and its next sibling. The many children of the root are
 * found by a map.
 */
function trieOf(tokens: readonly string[]): Prefixes {
  const size = tokens.reduce((sum, token) => sum + token.length, 1)
  const [child, sibling, ids] = [new Int32Array(size), new Int32Array(size), new Int32Array(size).fill(-1)]
  const units = new Uint16Array(size)
  const fromRoot = new Map<number, number>()
  let nodes = 1
  const find = (node: number, unit: number): number => {
    if (node === 0) return fromRoot.get(unit) ?? 0
    let at = child[node]!
    while (at !== 0 && units[at] !== unit) at = sibling[at]!
    return at
  }
  const insert = (node: number, unit: number): number => {
    const made = nodes++
    units[made] = unit
    if (node === 0) fromRoot.set(unit, made)
    else {
      sibling[made] = child[node]!
      child[node] = made
    }
    return made
  }
  for (const [id, token] of tokens.entries()) {
    if (token === '') continue
    let node = 0
    for (let i = 0; i < token.length; i++) node = find(node, token.charCodeAt(i)) || insert(node, token.charCodeAt(i))
    ids[node] = id
  }
  return (text, start, found) => {
    let node = 0
    for (let at = start; at < text.length; at++) {
      node = find(node, text.charCodeAt(at))
      if (node === 0) return
      if (ids[node]! >= 0) found(ids[node]!, at + 1)
    }
  }
}

/** One token on the best way to its end. */
interface Step {
  readonly id: number
  readonly start: number
  readonly score: number
}

/** The best way through a word, from its end to its beginning. */
function bestWay(
  word: string,
  prefixes: Prefixes,
  scores: readonly number[],
  unknown: number,
  penalty: number,
): Step[] {
  const best: (Step | undefined)[] = Array.from({ length: word.length + 1 }, () => undefined)
  for (let start = 0; start < word.length;) {
    const score = start === 0 ? 0 : best[start]!.score
    const single = start + (word.codePointAt(start)! > 0xffff ? 2 : 1)
    let hasSingle = false
    const offer = (id: number, end: number, gain: number): void => {
      const known = best[end]
      if (known === undefined || gain + score > known.score) best[end] = { id, start, score: gain + score }
    }
    prefixes(word, start, (id, end) => {
      offer(id, end, scores[id]!)
      hasSingle ||= end === single
    })
    if (!hasSingle) offer(unknown, single, penalty)
    start = single
  }
  const steps: Step[] = []
  for (let end = word.length; end > 0; end = steps.at(-1)!.start) steps.push(best[end]!)
  return steps
}

/**
 * Cuts a word into the tokens whose probabilities have the greatest product. Neighbouring unknown characters are one token,
 * or the tokens of their bytes.
 * Source: Kudo, Subword Regularization: Improving Neural Network Translation Models with Multiple Subword Candidates, 2018,
 * section 3.2.
 */
export function unigram(model: ModelFile<'Unigram'>): WordModel {
  const tokens = model.vocab.map(([token]) => token)
  const scores = model.vocab.map(([, score]) => score)
  const idOf = new Map(tokens.map((token, id) => [token, id]))
  const prefixes = trieOf(tokens)
  const unknown = model.unk_id ?? -1
  const penalty = scores.reduce((least, score) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY
  return (word) => {
    const [ids, starts, ends] = [[] as number[], [] as number[], [] as number[]]
    const add = (start: number, end: number): void => {
      const text = word.slice(start, end)
      const id = idOf.get(text)
      const bytes = id === undefined && model.byte_fallback ? byteTokens(text, idOf) : undefined
      for (const each of bytes ?? [id ?? unknown]) {
        ids.push(each)
        starts.push(start)
        ends.push(end)
      }
    }
    const steps = bestWay(word, prefixes, scores, unknown, penalty).reverse()
    for (let i = 0; i < steps.length;) {
      const first = i++
      if (steps[first]!.id === unknown) while (i < steps.length && steps[i]!.id === unknown) i++
      add(steps[first]!.start, steps[i]?.start ?? word.length)
    }
    return { ids, starts, ends }
  }
}
