import {
  type AnyPlugin,
  type Batch,
  type OnDevice,
  type HostArray,
  type Objective,
  type Params,
  MODEL,
  definePlugin,
} from '@attune/core'
import { key, stream } from '@attune/core'
import {
  chosenPlugin,
  describeObjective,
  gradientsOf,
  referenceEngine,
  tinyModel,
  tinyTokenizer,
} from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Tensor } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import type { DetectionBatch } from './batch.js'
import { replacedTokenDetection } from './replaced-token-detection.js'

const MASK = 40

const withMask = () => {
  const tiny = tinyTokenizer()
  return { ...tiny, special: { ...tiny.special, mask: MASK } }
}

/** The tiny model as a generator. Its embeddings have another size than those of the discriminator if it has another maximum length. */
const tinyGenerator = definePlugin({
  kind: MODEL,
  name: 'tiny',
  summary: 'The tiny model',
  options: z.strictObject({ vocabSize: z.int().default(128), maximumLength: z.int().default(24) }),
  create: ({ maximumLength }) => ({ ...tinyModel(), maximumLength }),
})

const generatorOf = (options = {}) => chosenPlugin(tinyGenerator as AnyPlugin, options) as never
const given = { model: tinyModel(), tokenizer: withMask() }

describeObjective(replacedTokenDetection, {
  options: { generator: generatorOf(), weight: 5 },
  given,
  references: [],
  examples: [
    { text: 'a short one' },
    { text: 'the quick brown fox' },
    { text: 'jumps over' },
    { text: 'x' },
    { text: 'a much longer text than the model takes, truncated here' },
    { text: 'seven' },
  ],
})

const objectiveWith = (options: object = {}) =>
  replacedTokenDetection({ generator: generatorOf(), ...options }, given) as Objective

describe('replaced token detection', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())
  const texts = ['the quick brown fox', 'jumps over', 'the lazy dog sleeps now'].map((text) => ({ text }))

  it('has no embeddings of the generator if those of the discriminator have the same size', () => {
    const embeddings = (objective: Objective): string[] =>
      Object.keys(objective.init(key(1))).filter((name) => name.startsWith('generator.tiny.embeddings.'))
    expect(embeddings(objectiveWith())).toEqual([])
    expect(embeddings(objectiveWith({ generator: generatorOf({ maximumLength: 30 }) }))).toEqual([
      'generator.tiny.embeddings.word_embeddings.weight',
      'generator.tiny.embeddings.position_embeddings.weight',
    ])
  })

  it('replaces tokens at random in evaluation, marks those that differ, and none of a text without a label', () => {
    const objective = objectiveWith({ maskingProbability: 0.5 })
    const items = texts.map((example) => objective.encode(example))
    const { inputs, isReplaced } = objective.collate(items) as DetectionBatch
    const ids = items.flatMap((item) => {
      const row = (item as unknown as { ids: readonly number[] }).ids
      return [...row, ...new Array<number>(inputs.inputIds.shape[1]! - row.length).fill(withMask().special.pad ?? 0)]
    })
    expect(Array.from(isReplaced.values)).toEqual(ids.map((id, i) => Number(id !== inputs.inputIds.values[i])))
    expect(Array.from(isReplaced.values).filter((x) => x === 1).length).toBeGreaterThan(10)
    expect(items.map((item) => objective.reference(item)['replaced'])).toEqual(
      items.map(({ length }, row) => {
        const from = row * isReplaced.shape[1]!
        return Array.from(isReplaced.values.subarray(from, from + length))
      }),
    )
    const bare = objective.collate(texts.map((example) => objective.encodeUnlabelled(example))) as DetectionBatch
    expect(Array.from(bare.inputs.inputIds.values)).toEqual(ids)
    expect(new Set(bare.isReplaced.values)).toEqual(new Set([0]))
  })

  it('masks and samples the same in every division of a training batch', () => {
    const objective = objectiveWith({ padToMultipleOf: 24 })
    const items = texts.map((example) => objective.encode(example))
    const arrays = (size: number) => {
      const random = stream(key(3))
      const slices = Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
        items.slice(i * size, (i + 1) * size),
      )
      const batches = slices.map((slice) => objective.collate(slice, random) as DetectionBatch)
      const values = (of: (batch: DetectionBatch) => HostArray) =>
        batches.flatMap((batch) => Array.from(of(batch).values))
      return [
        values(({ maskedIds }) => maskedIds),
        values(({ uniforms }) => uniforms),
        values(({ inputs }) => inputs.inputIds),
      ]
    }
    expect(arrays(1)).toEqual(arrays(3))
    expect(arrays(2)).toEqual(arrays(3))
    expect(arrays(3)[2]).toEqual(
      Array.from(
        (objective.collate(texts.map((t) => objective.encodeUnlabelled(t))) as DetectionBatch).inputs.inputIds.values,
      ),
    )
  })

  it('passes no gradient of the discriminator to the generator', async () => {
    const objective = objectiveWith({ generator: generatorOf({ maximumLength: 30 }) })
    const batch = engine.put(
      objective.collate(
        texts.map((t) => objective.encode(t)),
        stream(key(1)),
      ) as Batch,
    )
    const params = { ...given.model.init(key(1)), ...objective.init(key(2)) } as Params
    const gradients = engine.compile((p: Params, b: OnDevice<Batch>) =>
      gradientsOf((q) => {
        const context = {
          params: q,
          mode: { training: false },
          forward: (x: never) => given.model.forward(q, x, { training: false }),
        }
        const { losses } = objective.trainingLoss!(context as never, b) as unknown as { losses: Tensor }
        const length = (b as unknown as { maskedIds: Tensor }).maskedIds.shape[1]!
        return losses.slice([0, 0], [-1, length]).sum() as never
      }, p),
    )
    const found = (await engine.read(gradients(params, batch))) as Record<string, HostArray>
    const largest = (prefix: string): number =>
      Math.max(
        ...Object.entries(found).flatMap(([name, { values }]) =>
          name.startsWith(prefix) ? Array.from(values, Math.abs) : [],
        ),
      )
    expect(largest('generator.')).toBe(0)
    expect(largest('tiny.embeddings.')).toBeGreaterThan(0)
  })

  it('requires a mask token, and a generator without pretrained weights', () => {
    expect(() =>
      replacedTokenDetection({ generator: generatorOf() }, { ...given, tokenizer: tinyTokenizer() }),
    ).toThrow(expect.objectContaining({ code: 'NO_MASK_TOKEN' }))
    const from = { use: tinyGenerator as AnyPlugin, from: 'folder' }
    expect(() => replacedTokenDetection({ generator: from }, given)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTIONS' }),
    )
  })
})
