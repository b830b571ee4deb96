import type { ModelFile } from './schema.js'
import { type Prefixes, trieOf } from './token-trie.js'
import { type WordModel, byteTokens } from './word-model.js'

/** What is taken from the score of the worst token for a character that the vocabulary lacks. */
const UNKNOWN_PENALTY = 10

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
