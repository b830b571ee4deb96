import '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { type Model, type TextInputs } from '@attune/core'
import { type Tensor, scalar, tensor, tidy } from '@tensorflow/tfjs-core'
import {
  attentionBias,
  defaultPositions,
  eagerEngine,
  emptyCache,
  headFor,
  lastToken,
  toCheckpointNames,
  headTensors,
  rotaryFrequencies,
  tokenLogits,
  writeCache,
} from '../index.js'

beforeAll(() => eagerEngine({ backend: 'cpu', device: '', load: () => Promise.resolve() }).start())

const integers = (values: number[][]): Tensor => tensor(values, undefined, 'int32')
const inputs = (mask: number[][], more: Partial<TextInputs> = {}): TextInputs => ({
  inputIds: integers(mask),
  tokenTypeIds: integers(mask),
  attentionMask: integers(mask),
  ...more,
})
/** 1 where a query (row) attends to a key (column). */
const attended = (bias: Tensor): number[][][] =>
  (bias.arraySync() as number[][][][]).map(([rows]) => rows!.map((row) => row.map((x) => (x === 0 ? 1 : 0))))
const inTidy = (body: () => void) => (): void => void tidy(body)

describe('attentionBias attends to', () => {
  it(
    'all tokens except padding',
    inTidy(() => {
      expect(attended(attentionBias(inputs([[1, 1, 0]])))).toEqual([[[1, 1, 0]]])
    }),
  )

  it(
    'no later tokens with `causal`, and none outside of a window',
    inTidy(() => {
      const whole = inputs([[1, 1, 1, 1]])
      expect(attended(attentionBias(whole, { causal: true }))[0]).toEqual([
        [1, 0, 0, 0],
        [1, 1, 0, 0],
        [1, 1, 1, 0],
        [1, 1, 1, 1],
      ])
      expect(attended(attentionBias(whole, { causal: true, window: 2 }))[0]).toEqual([
        [1, 0, 0, 0],
        [1, 1, 0, 0],
        [0, 1, 1, 0],
        [0, 0, 1, 1],
      ])
      expect(attended(attentionBias(whole, { window: 2 }))[0]).toEqual([
        [1, 1, 0, 0],
        [1, 1, 1, 0],
        [0, 1, 1, 1],
        [0, 0, 1, 1],
      ])
    }),
  )

  it(
    'only tokens of the same text in a packed row',
    inTidy(() => {
      const packed = inputs([[1, 1, 1]], { segmentIds: integers([[0, 0, 1]]) })
      expect(attended(attentionBias(packed, { causal: true }))[0]).toEqual([
        [1, 0, 0],
        [1, 1, 0],
        [0, 0, 1],
      ])
    }),
  )

  it(
    'the slots of a cache up to the query’s own',
    inTidy(() => {
      const step = {
        ...inputs([[0, 0]]),
        attentionMask: integers([[0, 1, 1, 1, 1]]),
        cacheStart: scalar(2, 'int32'),
      }
      expect(attended(attentionBias(step, { causal: true }))[0]).toEqual([
        [0, 1, 1, 0, 0],
        [0, 1, 1, 1, 0],
      ])
      expect(defaultPositions(step).arraySync()).toEqual([[2, 3]])
    }),
  )

  it(
    'a full cache and the tokens that are appended to it',
    inTidy(() => {
      const step = { ...inputs([[0, 0]]), attentionMask: integers([[0, 1, 1, 1, 1]]), cache: {} }
      expect(attended(attentionBias(step, { causal: true }))[0]).toEqual([
        [0, 1, 1, 1, 0],
        [0, 1, 1, 1, 1],
      ])
      expect(defaultPositions(step).arraySync()).toEqual([[3, 4]])
    }),
  )
})

it(
  'writeCache writes keys to their slots and keeps the others',
  inTidy(() => {
    const held = tensor([[[[1], [2], [3], [4]]]])
    const write = (added: number[], start: number): unknown =>
      writeCache(held, tensor(added, [1, 1, added.length, 1]), scalar(start, 'int32'))
        .dataSync()
        .join()
    expect(write([9], 2)).toBe('1,2,9,4')
    expect(write([8, 9], 0)).toBe('8,9,3,4')
    expect(write([6, 7, 8, 9], 0)).toBe('6,7,8,9')
    expect(
      writeCache(held, tensor([[[[5], [6]]]]), undefined)
        .dataSync()
        .join(),
    ).toBe('1,2,3,4,5,6')
    const empty = emptyCache(2, [1, 1, 3, 2])
    expect(Object.keys(empty)).toEqual(['0.key', '0.value', '1.key', '1.value'])
    expect(empty['1.value']!.shape).toEqual([1, 1, 3, 2])
  }),
)

it(
  'lastToken returns the state of the last token that is not padding, for left and right padding',
  inTidy(() => {
    const states = tensor([1, 2, 3, 4, 5, 6], [2, 3, 1])
    const last = (mask: number[][]): unknown => lastToken(states, inputs(mask)).arraySync()
    expect(
      last([
        [1, 1, 0],
        [0, 1, 1],
      ]),
    ).toEqual([[2], [6]])
  }),
)

describe('a head', () => {
  const head = { architecture: 'X', tensors: { 'dense.weight': 'theirs.weight' }, scale: 0.5, softcap: 2 }
  const model = { wordEmbeddings: 'words', heads: { a: head }, config: { model_type: 'tiny' } } as never as Model

  it('is rejected with a list of the existing heads if the family has none', () => {
    expect(headFor(model, 'a')).toBe(head)
    expect(() => headFor(model, 'toString')).toThrow(
      expect.objectContaining({ code: 'NO_SUCH_HEAD', remedy: expect.stringContaining('supports: a.') }),
    )
  })

  it(
    'maps its tensors to the names of the checkpoint, and drops others',
    inTidy(() => {
      const [one, two] = [scalar(1), scalar(2)]
      expect(toCheckpointNames(head, { 'dense.weight': one, 'dense.bias': two })).toEqual({ 'theirs.weight': one })
      expect(headTensors(head, { 'theirs.weight': one, other: two })).toEqual({ 'dense.weight': one })
      expect(() => headTensors(head, { other: two })).toThrow(expect.objectContaining({ code: 'MISSING_PARAMETER' }))
    }),
  )

  it(
    'computes scaled and soft-capped logits from the word embeddings',
    inTidy(() => {
      const words = tensor([
        [1, 0],
        [0, 4],
      ])
      const logits = tokenLogits(model, head, { words }, tensor([[[2, 3]]]))
      const cap = (x: number): number => 2 * Math.tanh(x / 2)
      expect(logits.shape).toEqual([1, 1, 2])
      const [first, second] = logits.dataSync()
      expect(first).toBeCloseTo(cap(1), 6)
      expect(second).toBeCloseTo(cap(6), 6)
    }),
  )

  it(
    'adds a trained and an untrained bias',
    inTidy(() => {
      const tensors = { weight: 'weight', bias: 'bias', fixedBias: 'fixed' }
      const params = { weight: tensor([[1], [2]]), bias: tensor([10, 20]), fixed: tensor([[100, 200]]) }
      const logits = tokenLogits(model, { architecture: 'X', tensors }, params, tensor([[3]]))
      expect([...logits.dataSync()]).toEqual([113, 226])
    }),
  )
})

describe('rotaryFrequencies', () => {
  it('rejects unknown types and scaling without its factor', () => {
    const refusal = (problem: string) =>
      expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringContaining(problem) })
    const factors = { short_factor: [1, 1, 1, 1], long_factor: [1, 1] }
    for (const [options, problem] of [
      [{ rope_type: 'su' }, 'su'],
      [{ rope_type: 'constructor' }, 'constructor'],
      [{ rope_type: 'linear' }, 'factor'],
      [{ rope_type: 'dynamic', factor: 2 }, 'max_position_embeddings'],
      [{ rope_type: 'yarn', factor: 2 }, 'original_max_position_embeddings'],
      [{ rope_type: 'longrope', max_position_embeddings: 8, ...factors }, 'long_factor'],
      [{ partial_rotary_factor: 0.5 }, 'partial_rotary_factor'],
    ] as const)
      expect(() => rotaryFrequencies(8, options)).toThrow(refusal(problem))
  })
})
