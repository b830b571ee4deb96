import { describe, expect, it } from '@jest/globals'
import type { LossTerm, Tokenizer } from '@attune/core'
import { crossEntropy } from '@attune/nn'
import {
  describeObjective,
  floats,
  integers,
  referenceEngine,
  tinyEncoderDecoder,
  tinyModel,
  tinyTokenizer,
} from '@attune/testkit'
import { type Tensor, mul } from '@tensorflow/tfjs-core'
import { sequenceToSequence } from './sequence-to-sequence.js'

const model = tinyEncoderDecoder()

describeObjective(sequenceToSequence, {
  given: { model, tokenizer: tinyTokenizer() },
  references: ['target'],
  examples: [
    { text: 'a short one', target: 'short' },
    { text: 'the quick brown fox', target: 'a fox that is quick' },
    { text: 'jumps over', target: 'leaps' },
    { text: 'x', target: '' },
    {
      text: 'a much longer text than the model takes, truncated here',
      target: 'and a target that is too long as well',
    },
    { text: 'seven', target: '7' },
    { text: 'lazy dogs sleep', target: 'dogs are lazy' },
  ],
})

describe('sequence-to-sequence batches', () => {
  type Arrays = Record<string, { readonly values: Iterable<number> }>
  const made = (tokenizer: Tokenizer, options = {}) => sequenceToSequence(options, { model, tokenizer })
  const [begin, end, a, b, c, start] = [2, 3, 69, 70, 71, 7]

  it('tokenize targets with the target tokenizer if there is one', () => {
    const tokenizer = tinyTokenizer()
    const target = { ...tokenizer, encode: (text: string) => tokenizer.encode([...text].reverse().join('')) }
    const encoded = (given: Tokenizer) =>
      made(given).encode({ text: 'abc', target: 'abc' }) as never as Record<string, unknown>
    expect(encoded({ ...tokenizer, target })).toMatchObject({
      ids: [begin, a, b, c, end],
      target: [begin, c, b, a, end],
    })
    expect(encoded(tokenizer)).toMatchObject({ target: [begin, a, b, c, end] })
  })

  it('pass the targets to the decoder shifted right, after the start token', () => {
    const objective = made(tinyTokenizer(), { padToMultipleOf: 4 })
    const items = [
      { text: 'abc', target: 'a' },
      { text: 'c', target: 'cab' },
    ].map((example) => objective.encode(example))
    const { inputs, targets, weights } = objective.collate(items) as never as Arrays & { readonly inputs: Arrays }
    const of = (name: string): number[] => [...inputs[name]!.values]
    expect(of('inputIds')).toEqual([begin, a, b, c, end, 0, 0, 0, begin, c, end, 0, 0, 0, 0, 0])
    expect(of('attentionMask')).toEqual([1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0])
    expect(of('decoderInputIds')).toEqual([start, begin, a, 0, 0, 0, 0, 0, start, begin, c, a, b, 0, 0, 0])
    expect(of('decoderAttentionMask')).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0])
    expect([...targets!.values]).toEqual([begin, a, end, 0, 0, 0, 0, 0, begin, c, a, b, end, 0, 0, 0])
    expect([...weights!.values]).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0])
    expect(objective.reference(items[0]!)).toEqual({ tokens: ['[begin]', 'a', '[end]'] })
  })

  it('pass only the start token to the decoder if the target is unknown', () => {
    const objective = made(tinyTokenizer(), { padToMultipleOf: 2 })
    const items = [objective.encodeUnlabelled({ text: 'ab' })]
    const { inputs, weights } = objective.collate(items) as never as Arrays & { readonly inputs: Arrays }
    expect([...inputs['decoderInputIds']!.values]).toEqual([start, 0])
    expect([...inputs['decoderAttentionMask']!.values]).toEqual([1, 0])
    expect([...weights!.values]).toEqual([0, 0])
  })

  it('append the end token unless the tokenizer does or the text was truncated, and report truncation', () => {
    const open: Tokenizer = {
      ...tinyTokenizer(),
      encode: (text, { maximumLength = Infinity } = {}) => {
        const ids = Array.from(text, (letter) => letter.codePointAt(0)! - 0x1c)
        const kept = ids.slice(0, maximumLength)
        return { ids: kept, typeIds: kept.map(() => 0), truncated: kept.length < ids.length }
      },
    }
    const objective = made(open, { maximumLength: 8, maximumTargetLength: 2 })
    const whole = { ids: [a, b, end], target: [a, end], length: 3, truncated: false }
    expect(objective.encode({ text: 'ab', target: 'a' })).toEqual(whole)
    expect(objective.encode({ text: 'ab', target: 'abc' })).toEqual({ ...whole, target: [a, b], truncated: true })
  })

  it('reject a model without this head, and list the heads that it has', () => {
    expect(() => sequenceToSequence({}, { model: tinyModel(), tokenizer: tinyTokenizer() })).toThrow(
      expect.objectContaining({ code: 'NO_SUCH_HEAD', remedy: expect.stringContaining('sequence-classification') }),
    )
  })
})

it('truncates a text on the given side', () => {
  const read = (truncationSide?: 'left' | 'right') => {
    const objective = sequenceToSequence(
      { maximumLength: 6, ...(truncationSide === undefined ? {} : { truncationSide }) },
      { model, tokenizer: tinyTokenizer() },
    )
    const { ids, truncated } = objective.encode({ text: 'abcdefgh', target: 'x' }) as never as {
      ids: number[]
      truncated: boolean
    }
    return [tinyTokenizer().decode(ids), truncated]
  }
  expect(read('left')).toEqual(['efgh', true])
  expect(read('right')).toEqual(['abcd', true])
  expect(read()).toEqual(['abcd', true])
})

it('applies the given losses to each token', async () => {
  const engine = referenceEngine()
  await engine.start()
  const twice: LossTerm = { compares: 'labels', losses: (logits, targets) => mul(2, crossEntropy(logits, targets)) }
  const objective = sequenceToSequence({}, { model, tokenizer: tinyTokenizer(), losses: [twice, twice] })
  const losses = engine.compile((tokenLogits: Tensor, targets: Tensor) =>
    objective.head({}, { tokenLogits } as never, { training: false }, { targets } as never),
  )
  const logits = engine.put(floats([0, Math.log(3), Math.log(4)], [1, 1, 3])) as Tensor
  const found = await engine.read(losses(logits, engine.put(integers([1], [1, 1])) as Tensor) as never)
  expect((found as never as { losses: { values: Float32Array } }).losses.values[0]).toBeCloseTo(-4 * Math.log(3 / 8), 5)
  await engine.close()
})
