import '@tensorflow/tfjs'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import type { Params } from '@attune/core'
import { type Tensor, concat, slice, sum, tensor, zeros } from '@tensorflow/tfjs-core'
import { type HostCrfScores, crfLosses, crfMarginals, gradients, viterbi } from '../index.js'

interface Stored {
  readonly shape: number[]
  readonly values: number[]
}
type Part = 'emissions' | 'start_transitions' | 'end_transitions' | 'transitions'
type Case = Readonly<Record<Part, Stored>> & {
  readonly tags: number[][]
  readonly mask: number[][]
  readonly losses: number[]
  readonly decoded: number[][]
  readonly gradients: Readonly<Record<Part, Stored>>
}

const golden = JSON.parse(readFileSync('golden/crf.json', 'utf8')) as {
  readonly source: string
  readonly cases: Readonly<Record<string, Case>>
  readonly crfsuite: {
    readonly emissions: number[][]
    readonly transitions: number[][]
    readonly tags: number[]
    readonly probability: number
    readonly marginals: number[][]
  }
}

const PARTS = ['emissions', 'start_transitions', 'end_transitions', 'transitions'] as const
const load = ({ values, shape }: Stored): Tensor => tensor(values, shape, 'float32')
const lossesOf = (params: Params, { tags, mask }: Pick<Case, 'tags' | 'mask'>): Tensor =>
  crfLosses(params['emissions']!, tensor(tags, undefined, 'int32'), tensor(mask, undefined, 'float32'), {
    start: params['start_transitions']!,
    end: params['end_transitions']!,
    transitions: params['transitions']!,
  })
const largest = (found: ArrayLike<number>, expected: readonly number[]): number =>
  Math.max(...expected.map((value, i) => Math.abs(found[i]! - value) / Math.max(1, ...expected.map(Math.abs))))

describe.each(Object.entries(golden.cases))(`crfLosses, ${golden.source}, %s`, (_name, given) => {
  const params = Object.fromEntries(PARTS.map((part) => [part, load(given[part])]))
  const scores: HostCrfScores = {
    start: given.start_transitions.values,
    end: given.end_transitions.values,
    transitions: given.transitions.values,
  }

  it('matches the losses and their gradients', () => {
    expect(largest(lossesOf(params, given).dataSync(), given.losses)).toBeLessThan(1e-6)
    const { grads } = gradients(() => sum(lossesOf(params, given)), params)
    // Probabilities of sequences have the absolute error of their scores.
    const tolerance = 1e-6 * Math.max(2, ...given.losses)
    for (const part of PARTS)
      expect([part, largest(grads[part]!.dataSync(), given.gradients[part].values) < tolerance]).toEqual([part, true])
  })

  it('does not depend on padding or on the other rows', () => {
    const [batch, length, count] = given.emissions.shape as [number, number, number]
    const wider = { ...params, emissions: concat([params['emissions']!, zeros([batch, 2, count])], 1) }
    const padded = (rows: number[][]): number[][] => rows.map((row) => [...row, 0, 0])
    const all = lossesOf(wider, { tags: padded(given.tags), mask: padded(given.mask) }).dataSync()
    expect(largest(all, given.losses)).toBeLessThan(1e-6)
    const alone = given.mask.map((mask, row) => {
      const own = { ...params, emissions: slice(params['emissions']!, [row, 0, 0], [1, length, count]) }
      return lossesOf(own, { tags: [given.tags[row]!], mask: [mask] }).dataSync()[0]!
    })
    expect(largest(alone, given.losses)).toBeLessThan(1e-6)
  })

  it('matches the decoded tags of viterbi', () => {
    const [, length, count] = given.emissions.shape as [number, number, number]
    const found = given.mask.map((mask, row) => {
      const at = (word: number): number => (row * length + word) * count
      const words = [...mask.keys()].filter((word) => mask[word] === 1)
      return viterbi(
        words.map((word) => given.emissions.values.slice(at(word), at(word) + count)),
        scores,
      )
    })
    expect(found).toEqual(given.decoded)
  })
})

describe('crfMarginals and viterbi', () => {
  const { emissions, transitions, tags, probability, marginals } = golden.crfsuite
  const none = [0, 0, 0]
  const scores = { start: none, end: none, transitions: transitions.flat() }

  it(`match the tags, their probability and the marginals of ${golden.source}`, () => {
    expect(viterbi(emissions, scores)).toEqual(tags)
    // crfsuite prints its weights with six decimals.
    expect(largest(crfMarginals(emissions, scores).flat(), marginals.flat())).toBeLessThan(1e-6)
    const params = {
      emissions: tensor([emissions]),
      start_transitions: tensor(none),
      end_transitions: tensor(none),
      transitions: tensor(transitions),
    }
    const [loss] = lossesOf(params, { tags: [tags], mask: [tags.map(() => 1)] }).dataSync()
    expect(loss!).toBeCloseTo(-Math.log(probability), 5)
  })

  it('match the enumeration of all sequences, with scores of the first and the last tag', () => {
    const own = { start: [0.3, -1, 0.2], end: [-0.5, 2, 0.1], transitions: transitions.flat() }
    const words = emissions.slice(0, 3)
    const all = words.reduce<number[][]>(
      (paths) => paths.flatMap((path) => [0, 1, 2].map((tag) => [...path, tag])),
      [[]],
    )
    const weightOf = (path: readonly number[]): number => {
      const steps = path.map(
        (tag, i) => words[i]![tag]! + (i === 0 ? own.start[tag]! : transitions[path[i - 1]!]![tag]!),
      )
      return Math.exp(steps.reduce((sum, step) => sum + step, own.end[path.at(-1)!]!))
    }
    const total = all.reduce((sum, path) => sum + weightOf(path), 0)
    const expected = words.map((_, word) =>
      [0, 1, 2].map((tag) => all.reduce((sum, path) => sum + (path[word] === tag ? weightOf(path) : 0), 0) / total),
    )
    expect(largest(crfMarginals(words, own).flat(), expected.flat())).toBeLessThan(1e-12)
    expect(viterbi(words, own)).toEqual(all.toSorted((a, b) => weightOf(b) - weightOf(a))[0])
  })

  it('return nothing for no words', () => {
    expect(viterbi([], scores)).toEqual([])
    expect(crfMarginals([], scores)).toEqual([])
  })
})
