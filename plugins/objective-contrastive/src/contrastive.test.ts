import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import {
  type Compared,
  type HostArray,
  type LossTerm,
  type Mode,
  type Model,
  type Objective,
  type Params,
  type TextInputs,
  key,
} from '@attune/core'
import {
  describeObjective,
  expectClose,
  floats,
  gradientsOf,
  referenceEngine,
  tinyModel,
  tinyTokenizer,
} from '@attune/testkit'
import {
  type Scalar,
  type Tensor,
  abs,
  concat,
  div,
  expandDims,
  max,
  mul,
  slice,
  sub,
  sum,
  tensor,
} from '@tensorflow/tfjs-core'
import { contrastive } from './contrastive.js'

const model: Model = { ...tinyModel(), heads: { contrastive: { architecture: 'TinyModel', tensors: {} } } }
const tokenizer = tinyTokenizer()
const given = { model, tokenizer }

const examples = [
  { text: 'a short one', pair: 'one that is short' },
  { text: 'the quick brown fox', pair: 'jumps over' },
  { text: 'x', pair: 'y' },
  { text: 'a much longer text than the model takes, truncated here', pair: 'long' },
  { text: 'seven', pair: 'the number after six and before eight' },
  { text: 'lazy dogs sleep', pair: 'dogs' },
]

describeObjective(contrastive, { options: { scale: 4 }, given, references: [], examples, textsPerExample: 2 })

describe('files for sentence-transformers', () => {
  it('describe mean pooling, normalization and the maximum length', () => {
    const { files = {} } = contrastive({ maximumLength: 7 }, given)
    expect(Object.keys(files)).toEqual(['modules.json', 'sentence_bert_config.json', '1_Pooling/config.json'])
    expect(files['modules.json']).toMatchObject([
      { path: '', type: 'sentence_transformers.models.Transformer' },
      { path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
      { path: '2_Normalize', type: 'sentence_transformers.models.Normalize' },
    ])
    expect(files['sentence_bert_config.json']).toMatchObject({ max_seq_length: 7 })
    expect(files['1_Pooling/config.json']).toMatchObject({
      word_embedding_dimension: model.hiddenSize,
      pooling_mode_mean_tokens: true,
      pooling_mode_cls_token: false,
    })
  })

  it('describe another pooling, with or without normalization', () => {
    const { files = {} } = contrastive({ pooling: 'mean_sqrt_len_tokens', normalize: false }, given)
    expect(files['modules.json']).toHaveLength(2)
    expect(files['1_Pooling/config.json']).toMatchObject({
      pooling_mode_mean_sqrt_len_tokens: true,
      pooling_mode_mean_tokens: false,
    })
  })

  it('describe the input of a classification head if the encoder computes it, and are not written otherwise', () => {
    const outside = { ...model, layers: [{ name: 'pooler', prefixes: ['classifier.dense.'] }] }
    expect(contrastive({ pooling: 'pooled' }, { ...given, model: { ...outside, prefix: 'tiny.' } })).not.toHaveProperty(
      'files',
    )
    const layers = [{ name: 'pooler', prefixes: [`${model.prefix}pooler.`] }]
    const { files = {} } = contrastive({ pooling: 'pooled' }, { ...given, model: { ...model, layers } })
    expect(files).not.toHaveProperty('1_Pooling/config.json')
    expect(files['modules.json']).toMatchObject([{ path: '' }, { path: '2_Normalize' }])
    expect(files['sentence_bert_config.json']).toMatchObject({
      modality_config: { text: { method_output_name: 'pooler_output' } },
      module_output_name: 'sentence_embedding',
    })
  })
})

describe('contrastive loss', () => {
  const golden = JSON.parse(readFileSync('golden/loss.json', 'utf8')) as {
    readonly source: string
    readonly scale: number
    readonly loss: number
    readonly withNegatives: { readonly loss: number } & Readonly<
      Record<'gradientOfTexts' | 'gradientOfPairs' | 'gradientOfNegatives', number[][]>
    >
  } & Readonly<Record<'texts' | 'pairs' | 'negatives' | 'gradientOfTexts' | 'gradientOfPairs', number[][]>>
  const array = (rows: number[][]): HostArray => floats(rows.flat(), [rows.length, rows[0]!.length])

  it(`matches ${golden.source}, including its gradient`, async () => {
    const engine = referenceEngine()
    await engine.start()
    const objective = contrastive({ pooling: 'pooled', scale: golden.scale }, given) as Objective
    const mean = ({ texts, pairs }: Params): Scalar => {
      const pooled = concat([texts!, pairs!], 0)
      const outputs = { pooled, lastHiddenState: expandDims(pooled, 1) }
      const batch = { inputs: {} } as never
      const { losses, weights } = objective.loss(
        objective.head({}, outputs, { training: false }, batch) as Tensor,
        batch,
      )
      return div(sum(mul(losses, weights)), sum(weights))
    }
    const vectors = engine.put({ texts: array(golden.texts), pairs: array(golden.pairs) }) as Record<string, Tensor>
    const both = engine.compile((p: Params) => ({ loss: mean(p), gradients: gradientsOf(mean, p) }))
    expectClose(
      await engine.read(both(vectors)),
      {
        loss: floats([golden.loss], []),
        gradients: { texts: array(golden.gradientOfTexts), pairs: array(golden.gradientOfPairs) },
      },
      1e-5,
    )
    await engine.close()
  })

  it(`matches ${golden.source} with hard negatives, including its gradient`, async () => {
    const engine = referenceEngine()
    await engine.start()
    const objective = contrastive({ pooling: 'pooled', scale: golden.scale, negative: 'other' }, given) as Objective
    const { loss: expected, ...slopes } = golden.withNegatives
    const mean = ({ texts, pairs, negatives }: Params): Scalar => {
      const pooled = concat([texts!, pairs!, negatives!], 0)
      const batch = { inputs: {}, parts: tensor([0]) } as never
      const outputs = { pooled, lastHiddenState: expandDims(pooled, 1) }
      const vectors = objective.head({}, outputs, { training: false }, batch) as Tensor
      const { losses, weights } = objective.loss(vectors, batch)
      return div(sum(mul(losses, weights)), sum(weights))
    }
    const vectors = { texts: array(golden.texts), pairs: array(golden.pairs), negatives: array(golden.negatives) }
    const both = engine.compile((p: Params) => ({ loss: mean(p), gradients: gradientsOf(mean, p) }))
    expectClose(
      await engine.read(both(engine.put(vectors) as Record<string, Tensor>)),
      {
        loss: floats([expected], []),
        gradients: {
          texts: array(slopes.gradientOfTexts),
          pairs: array(slopes.gradientOfPairs),
          negatives: array(slopes.gradientOfNegatives),
        },
      },
      1e-5,
    )
    await engine.close()
  })
})

describe('unsupervised SimCSE, with one field for the text and its partner', () => {
  it('compares the embeddings of a text under two dropout masks', async () => {
    const engine = referenceEngine()
    await engine.start()
    const objective = contrastive({ pair: 'text' }, given) as Objective
    const items = examples.slice(0, 2).map((example) => objective.encode(example))
    const { inputs } = engine.put(objective.collate(items)) as unknown as { inputs: TextInputs }
    const params = engine.compile(() => model.init(key(1)))()
    const distance = (mode: Mode): number => {
      const outputs = model.forward(params, inputs, mode)
      const vectors = objective.head(params, outputs, mode, { inputs }) as Tensor
      const [texts, pairs] = [slice(vectors, [0, 0], [2, -1]), slice(vectors, [2, 0], [2, -1])]
      return max(abs(sub(texts, pairs))).dataSync()[0]!
    }
    const seed = tensor([1, 2], [2], 'int32')
    expect(distance({ training: false })).toBe(0)
    expect(distance({ training: true, key: { seed, stream: 0 } })).toBeGreaterThan(0.01)
    await engine.close()
  })
})

describe('configured losses', () => {
  const losses = (compares: Compared, factor: number): LossTerm => ({
    compares,
    losses: (texts, pairs) => mul(factor, sum(mul(texts, pairs), 1)),
  })

  it('replace the default, and receive each text with its partner', () => {
    const both = [losses('pairs', 2), losses('vectors', 1)]
    const objective = contrastive({ normalize: false }, { ...given, losses: both }) as Objective
    const vectors = tensor([1, 0, 2, 1, 3, 5, 1, 1], [4, 2]) // texts [1, 0] and [2, 1], partners [3, 5] and [1, 1]
    expect([...objective.loss(vectors, { inputs: {} }).losses.dataSync()]).toEqual([9, 9])
  })

  it('are rejected with hard negatives', () => {
    expect(() => contrastive({ negative: 'other' }, { ...given, losses: [losses('pairs', 1)] })).toThrow(
      expect.objectContaining({ code: 'LOSS_MISMATCH', message: expect.stringContaining('negative') as unknown }),
    )
  })

  it('are rejected if they compare other targets', () => {
    expect(() => contrastive({}, { ...given, losses: [losses('labels', 1)] })).toThrow(
      expect.objectContaining({
        code: 'LOSS_MISMATCH',
        message: expect.stringContaining('pairs or vectors') as unknown,
      }),
    )
  })
})

describe('contrastive predictions', () => {
  const vectors = floats([3, 4, 6, 8, 0, 5, 0, 1, 8, 6, 3, 4], [6, 2])
  const items = (objective: Objective) => examples.slice(0, 3).map((example) => objective.encodeUnlabelled(example))
  const withSimilarity = (similarity_fn_name: string): Objective =>
    contrastive(
      {
        sentenceTransformers: {
          ...contrastive({ normalize: false }, given).files,
          'config_sentence_transformers.json': { similarity_fn_name },
        },
      },
      given,
    )

  it.each([
    ['cosine', [0.8, 0.96, 0.8]],
    ['dot', [4, 96, 20]],
    ['euclidean', [-Math.hypot(3, 3), -Math.hypot(2, 2), -Math.hypot(3, 1)]],
    ['manhattan', [-6, -4, -4]],
  ])('are the embedding of each text and its %s similarity to its partner', (name, expected) => {
    const objective = withSimilarity(name)
    const predicted = objective.predict(vectors, items(objective))
    expect(predicted.map(({ embedding }) => embedding)).toEqual([
      [3, 4],
      [6, 8],
      [0, 5],
    ])
    for (const [i, { similarity }] of predicted.entries()) expect(similarity).toBeCloseTo(expected[i]!, 6)
  })

  it('are only the embedding of a text without a partner', () => {
    const objective = contrastive({}, given)
    const alone = [objective.encodeUnlabelled({ text: 'alone' }), objective.encodeUnlabelled({ text: 'b', pair: null })]
    const batch = objective.collate(alone)
    expect((batch.inputs as Record<string, HostArray>)['inputIds']!.shape[0]).toBe(2)
    expect(objective.predict(floats([1, 0, 0, 1], [2, 2]), alone)).toEqual([
      { embedding: [1, 0] },
      { embedding: [0, 1] },
    ])
    const mixed = [objective.encodeUnlabelled(examples[0]!), alone[0]!]
    expect((objective.collate(mixed).inputs as Record<string, HostArray>)['inputIds']!.shape[0]).toBe(4)
    expect(objective.predict(floats([1, 0, 0, 1, 1, 0, 0, 1], [4, 2]), mixed)).toEqual([
      { embedding: [1, 0], similarity: 1 },
      { embedding: [0, 1] },
    ])
  })
})

describe('contrastive batches', () => {
  const objective = contrastive({ padToMultipleOf: 1 }, given) as Objective

  it('require both texts, and the error names the option of the missing field', () => {
    expect(() => objective.encode({ text: 'a' })).toThrow(
      expect.objectContaining({ code: 'MISSING_FIELD', remedy: expect.stringContaining('`pair`') as unknown }),
    )
  })

  it('have the texts first and then, in the same order, their partners', () => {
    const { inputs } = objective.collate(examples.slice(1, 3).map((example) => objective.encode(example)))
    const { inputIds } = inputs as Record<string, HostArray>
    const [rows, width] = inputIds!.shape as [number, number]
    const row = (i: number) => [...inputIds!.values.subarray(i * width, (i + 1) * width)].filter((id) => id !== 0)
    const ids = ['the quick brown fox', 'x', 'jumps over', 'y'].map((text) => [...tokenizer.encode(text).ids])
    expect(Array.from({ length: rows }, (_, i) => row(i))).toEqual(ids)
  })

  it('have hard negatives last, and require them', () => {
    const hard = contrastive({ padToMultipleOf: 1, negative: 'other' }, given) as Objective
    const items = examples.slice(2, 4).map((example) => hard.encode({ ...example, other: 'no' }))
    const { inputs, parts } = hard.collate(items) as unknown as Record<'parts', HostArray> & {
      inputs: Record<string, HostArray>
    }
    expect([...parts.values]).toEqual([0, 0, 1, 1, 2, 2])
    const { shape, values } = inputs['inputIds']!
    const last = [...values.subarray(5 * shape[1]!)].filter((id) => id !== 0)
    expect(last).toEqual([...tokenizer.encode('no').ids])
    expect(() => hard.encode(examples[0]!)).toThrow(
      expect.objectContaining({ code: 'MISSING_FIELD', remedy: expect.stringContaining('`negative`') as unknown }),
    )
    expect(hard.collate([hard.encodeUnlabelled(examples[0]!)])).not.toHaveProperty('parts')
  })

  it('are never split into micro-batches', () => expect(objective.comparesExamples).toBe(true))
})
