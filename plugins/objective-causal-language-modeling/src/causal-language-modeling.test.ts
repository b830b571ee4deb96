import { describe, expect, it } from '@jest/globals'
import { type Batch, type HostArray, type OnDevice, type TextInputs, type Tokenizer, key } from '@attune/core'
import { noise, sampleTokens } from '@attune/nn'
import { describeObjective, referenceEngine, tinyModel, tinyTokenizer } from '@attune/testkit'
import { type Tensor, tensor1d } from '@tensorflow/tfjs-core'
import { causalLanguageModeling } from './causal-language-modeling.js'

const examples = [
  { text: 'a short one' },
  { text: 'the quick brown fox' },
  { text: 'jumps over' },
  { text: 'x' },
  { text: 'a much longer text than the model takes, truncated here' },
  { text: 'seven' },
  { text: 'lazy dogs sleep' },
]

describeObjective(causalLanguageModeling, {
  references: [],
  examples,
})
describeObjective(causalLanguageModeling, {
  options: { packTo: 24 },
  references: [],
  examples,
})

it('samples targets from the softmax of its logits', async () => {
  const engine = referenceEngine()
  await engine.start()
  const [model, tokenizer] = [tinyModel(), tinyTokenizer()]
  const objective = causalLanguageModeling({}, { model, tokenizer })
  const params = { ...model.init(key(1)), ...objective.init(key(2)) }
  const items = examples.map((example) => objective.encode(example))
  const batch = engine.put(objective.collate(items) as Batch) as OnDevice<Batch>
  const outputs = model.forward(params, batch.inputs as unknown as TextInputs, { training: false })
  const at = { seed: tensor1d([7, 1], 'int32'), stream: 3 }
  const sampled = objective.sampleLabels!(params, outputs, { training: false }, batch, at)
  const { targets } = sampled as unknown as Record<string, Tensor>
  const head = objective.head(params, outputs, { training: false, keep: ['logits'] }, batch) as Record<string, Tensor>
  const expected = sampleTokens(head['logits']!, noise(at, [targets!.size], 'uniform'))
  expect([targets!.shape, ...targets!.dataSync()]).toEqual([(batch['targets'] as Tensor).shape, ...expected.dataSync()])
  await engine.close()
})

describe('causal-language-modeling batches', () => {
  const model = tinyModel()
  const made = (tokenizer: Tokenizer, options = {}) => causalLanguageModeling(options, { model, tokenizer })
  const open: Tokenizer = {
    ...tinyTokenizer(),
    encode: (text, { maximumLength = Infinity } = {}) => {
      const ids = Array.from(text, (letter) => letter.codePointAt(0)! - 0x1c)
      const kept = ids.slice(0, maximumLength)
      return { ids: kept, typeIds: kept.map(() => 0), truncated: kept.length < ids.length }
    },
  }

  it('have the next token as target at each token, and none after the last', () => {
    const objective = made(tinyTokenizer(), { padToMultipleOf: 4 })
    const items = ['ab', 'abcd'].map((text) => objective.encode({ text }))
    const { inputs, targets, weights } = objective.collate(items) as never as Record<string, { values: number[] }> & {
      inputs: Record<string, { values: number[] }>
    }
    const [begin, end, a, b, c, d] = [2, 3, 69, 70, 71, 72]
    expect([...inputs['inputIds']!.values]).toEqual([begin, a, b, end, 0, 0, 0, 0, begin, a, b, c, d, end, 0, 0])
    expect([...targets!.values]).toEqual([a, b, end, 0, 0, 0, 0, 0, a, b, c, d, end, 0, 0, 0])
    expect([...weights!.values]).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0])
    expect(objective.reference(items[0]!)).toEqual({ tokens: ['a', 'b', '[end]'] })
  })

  it('append the end token unless the tokenizer does or the text was truncated', () => {
    const ids = (text: string, maximumLength: number) =>
      (made(open, { maximumLength }).encode({ text }) as never as { ids: number[] }).ids
    expect(ids('ab', 8)).toEqual([69, 70, 3])
    expect(ids('ab', 2)).toEqual([69, 70])
    expect(ids('abc', 2)).toEqual([69, 70])
  })

  it('reject a model without this head, and list the heads that it has', () => {
    const { 'causal-language-modeling': _, ...heads } = model.heads
    expect(() => causalLanguageModeling({}, { model: { ...model, heads }, tokenizer: open })).toThrow(
      expect.objectContaining({ code: 'NO_SUCH_HEAD', remedy: expect.stringContaining('masked-language-modeling') }),
    )
  })
})

describe('a text that is too long', () => {
  const model = tinyModel()
  const tiny = tinyTokenizer()
  /** A tokenizer that appends no end token. */
  const open: Tokenizer = {
    ...tiny,
    encode: (text, options) => {
      const { ids, ...rest } = tiny.encode(text, {
        ...options,
        maximumLength: (options?.maximumLength ?? Infinity) + 1,
      })
      return { ...rest, ids: ids.slice(0, -1) }
    },
  }
  const read = (tokenizer: Tokenizer, options: object) => {
    const objective = causalLanguageModeling({ maximumLength: 6, ...options }, { model, tokenizer })
    const { ids, truncated } = objective.encode({ text: 'abcdefgh' }) as never as { ids: number[]; truncated: boolean }
    return [tiny.decode(ids), ids.at(-1) === tiny.special.end, ids.length, truncated]
  }

  it('is truncated on the given side, and keeps or appends the end token unless its end was truncated', () => {
    expect(read(tiny, { truncationSide: 'left' })).toEqual(['efgh', true, 6, true])
    expect(read(tiny, {})).toEqual(['abcd', true, 6, true])
    expect(read(open, { truncationSide: 'left' })).toEqual(['efgh', true, 6, true])
    expect(read({ ...open, truncationSide: 'left' }, {})).toEqual(['efgh', true, 6, true])
    expect(read(open, {})).toEqual(['abcde', false, 6, true])
  })
})

it('returns the index of the text of each token in a packed row', () => {
  const given = { model: tinyModel(), tokenizer: tinyTokenizer() }
  const packed = causalLanguageModeling({ packTo: 24 }, given)
  const items = ['abcde', 'ab', 'abcdefghijklmnop'].map((text) => packed.encode({ text }))
  const { examples, weights, targets } = packed.collate(items) as Record<string, HostArray>
  expect(examples!.shape).toEqual(weights!.shape)
  const counts = items.map((_, at) => examples!.values.filter((e, i) => e === at && weights!.values[i] === 1).length)
  expect(counts).toEqual(items.map(({ length }) => length - 1))
  const own = (at: number): number[] =>
    [...targets!.values].filter((_, i) => examples!.values[i] === at && weights!.values[i] === 1)
  for (const [at, item] of items.entries()) expect(own(at)).toEqual((item as unknown as { ids: number[] }).ids.slice(1))
  expect(causalLanguageModeling({}, given).collate(items)).not.toHaveProperty('examples')
})
