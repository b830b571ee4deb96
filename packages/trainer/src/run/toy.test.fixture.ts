import '@tensorflow/tfjs'
import {
  ADAPTER,
  type Adapter,
  type AnyPlugin,
  type Batch,
  CALLBACK,
  type Callback,
  type Command,
  ENGINE,
  type Encoded,
  type Example,
  METRIC,
  MODEL,
  type Metric,
  type Model,
  OBJECTIVE,
  OPTIMIZER,
  type Objective,
  SCHEDULER,
  SOURCE,
  type Source,
  TOKENIZER,
  type Tokenizer,
  definePlugin,
  scheduled,
  deriveKey as foldKey,
} from '@attune/core'
import {
  chain,
  crossEntropy,
  dropout,
  eagerEngine,
  embedding,
  linear,
  normal,
  scaleByAdam,
  scaleByLearningRate,
} from '@attune/nn'
import { type Tensor, cast, div, expandDims, maximum, mul, notEqual, ones, sum, tanh } from '@tensorflow/tfjs-core'
import { mergeMap } from 'rxjs'
import { z } from 'zod'

/**
 * A complete family of toy plugins: texts of the letters a to d, classified by whether "a" is more frequent than "b". The numerics are
 * real (embeddings, dropout, Adam), only small.
 */
const LETTERS = 'abcd'

const none = z.strictObject({})

export const toyEngine = definePlugin({
  kind: ENGINE,
  name: 'toy-engine',
  summary: 'TensorFlow.js on the CPU backend',
  options: none,
  create: () => eagerEngine({ backend: 'cpu', device: 'toy', load: () => Promise.resolve() }),
})

/** Source of `count` examples that are generated from their index. */
export const toySource = definePlugin({
  kind: SOURCE,
  name: 'toy-source',
  summary: 'Generated texts of four letters',
  options: z.strictObject({
    count: z.int().min(0),
    from: z.int().default(0),
    badRows: z.int().default(0),
    label: z.string().optional(),
  }),
  create: ({ count, from, badRows, label }): Source => ({
    location: `toy(${count})`,
    async *open(reject) {
      for (let line = 1; line <= badRows; line++) reject?.({ line, reason: 'generated bad row', raw: '?' })
      for (let i = from; i < from + count; i++) {
        await Promise.resolve()
        yield toyExample(i, label)
      }
    },
  }),
})

export function toyExample(i: number, label?: string): Example {
  const length = 3 + ((i * 7) % 10)
  const text = Array.from({ length }, (_, j) => LETTERS[(i * i * 31 + j * j * 17 + i * j) % 4]).join('')
  const [as, bs] = [...'ab'].map((letter) => text.split(letter).length) as [number, number]
  return { text, label: label ?? (as > bs ? 'a' : 'not') }
}

export const toyTokenizer = definePlugin({
  kind: TOKENIZER,
  name: 'toy-tokenizer',
  summary: 'One token per letter',
  options: none,
  create: (): Tokenizer => ({
    vocabularySize: LETTERS.length + 1,
    special: { pad: 0 },
    encode(text, { maximumLength = Infinity } = {}) {
      const ids = [...text].map((letter) => LETTERS.indexOf(letter) + 1)
      const kept = ids.slice(0, maximumLength)
      return { ids: kept, typeIds: kept.map(() => 0), truncated: kept.length < ids.length }
    },
    decode: (ids) => [...(ids as number[])].map((id) => LETTERS[id - 1]).join(''),
    id: () => undefined,
    paddingSide: 'right',
    token: (id) => LETTERS[id - 1],
    files: () => ({ 'tokenizer.json': { letters: LETTERS } }),
  }),
})

export const toyModel = definePlugin({
  kind: MODEL,
  name: 'toy-model',
  summary: 'Mean of the embeddings and one linear layer',
  options: z.strictObject({
    vocabSize: z.int().default(9),
    width: z.int().default(8),
    scale: z.number().default(0.3),
    dropout: scheduled(z.number().default(0.2)),
  }),
  create: ({ vocabSize, width, scale, dropout: rate }): Model => ({
    prefix: 'toy.',
    wordEmbeddings: 'toy.embeddings.weight',
    heads: {},
    hiddenSize: width,
    vocabularySize: vocabSize,
    maximumLength: 8,
    headDropout: typeof rate === 'number' ? rate / 2 : div(rate, 2),
    initializerRange: scale,
    layers: [{ name: 'all', prefixes: ['toy.'] }],
    config: { model_type: 'toy-model', vocab_size: vocabSize, width, scale },
    init: (key) => ({
      'toy.embeddings.weight': normal(foldKey(key, 'e'), [vocabSize, width], scale),
      'toy.dense.weight': normal(foldKey(key, 'w'), [width, width], scale),
      'toy.dense.bias': normal(foldKey(key, 'b'), [width], scale),
    }),
    forward(params, { inputIds }, mode) {
      const lastHiddenState = dropout(embedding(params, 'toy.embeddings', inputIds), rate, mode)
      const real = expandDims(cast(notEqual(inputIds, 0), 'float32'), 2) // excludes padding
      const mean = div(sum(mul(lastHiddenState, real), 1), maximum(sum(real, 1), 1))
      return { lastHiddenState, pooled: tanh(linear(params, 'toy.dense', mean)) }
    },
  }),
})

interface ToyItem extends Encoded {
  readonly ids: readonly number[]
  readonly label: number
}

const LABELS = ['a', 'not']

const pad = (
  items: readonly ToyItem[],
): Batch & { labels: { shape: number[]; dtype: 'int32'; values: Int32Array } } => {
  const length = Math.max(...items.map((item) => item.length))
  const values = Int32Array.from(items.flatMap(({ ids }) => Array.from({ length }, (_, i) => ids[i] ?? 0)))
  return {
    inputs: { inputIds: { shape: [items.length, length], dtype: 'int32', values } },
    labels: { shape: [items.length], dtype: 'int32', values: Int32Array.from(items, ({ label }) => label) },
  }
}

export const toyObjective = definePlugin({
  kind: OBJECTIVE,
  name: 'toy-objective',
  summary: 'Binary classification',
  options: z.strictObject({
    loss: z.enum(['finite', 'infinite']).default('finite'),
    text: z.string().default('text').meta({ field: 'text' }),
  }),
  needs: { tokenizer: TOKENIZER, model: MODEL },
  create: ({ loss: kind }, { tokenizer, model }) => {
    const encode = (example: Example, label: number): ToyItem => {
      const { ids, truncated } = tokenizer.encode(String(example['text']), { maximumLength: model.maximumLength })
      return { ids, truncated, length: ids.length, label }
    }
    const objective: Objective<ToyItem, ReturnType<typeof pad>, Tensor> = {
      views: ['label'],
      config: { id2label: { 0: 'a', 1: 'not' } },
      maximumLength: model.maximumLength,
      init: (key) => ({ 'head.weight': normal(key, [2, model.hiddenSize], 0.3), 'head.bias': normal(key, [2], 0.1) }),
      encode: (example) => encode(example, LABELS.indexOf(String(example['label']))),
      encodeUnlabelled: (example) => encode(example, -1),
      collate: pad,
      head: (params, { pooled }, mode) => linear(params, 'head', dropout(pooled, model.headDropout, mode)),
      loss: (logits, { labels }) => ({
        losses: kind === 'finite' ? crossEntropy(logits, labels) : sum(logits.mul(Infinity), 1),
        weights: ones([logits.shape[0] as number]),
      }),
      predict: ({ values }, items) =>
        items.map((_, i) => ({ label: LABELS[values[2 * i]! >= values[2 * i + 1]! ? 0 : 1] })),
      reference: ({ label }) => ({ label: LABELS[label] }),
    }
    return objective
  },
})

export const toyAdapter = definePlugin({
  kind: ADAPTER,
  name: 'toy-adapter',
  summary: 'Trains everything except the embeddings',
  options: none,
  create: (): Adapter => ({
    adapt(model, params) {
      const split = (frozen: boolean) =>
        Object.fromEntries(Object.entries(params).filter(([name]) => name.includes('embeddings') === frozen))
      const frozen = split(true)
      return { model, trainable: split(false), frozen, merge: (trainable, still) => ({ ...still, ...trainable }) }
    },
  }),
})

export const toyOptimizer = definePlugin({
  kind: OPTIMIZER,
  name: 'toy-optimizer',
  summary: 'Adam',
  options: none,
  create: () => chain(scaleByAdam(0.9, 0.99, 1e-8), scaleByLearningRate()),
})

export const toyScheduler = definePlugin({
  kind: SCHEDULER,
  name: 'toy-scheduler',
  summary: 'Linear decay to zero',
  options: none,
  create: () => (step, steps) => 1 - (step - 1) / steps,
})

export const toyMetric = definePlugin({
  kind: METRIC,
  name: 'toy-metric',
  summary: 'Accuracy',
  options: z.strictObject({ compares: z.string().default('label') }),
  create: ({ compares }): Metric<string, string, [number, number]> => ({
    name: 'right',
    compares,
    direction: 'maximize',
    range: [0, 1],
    init: () => [0, 0],
    add: ([right, all], p, r) => [right + p.filter((label, i) => label === r[i]).length, all + p.length],
    merge: ([a, b], [c, d]) => [a + c, b + d],
    result: ([right, all]) => ({ value: right / all }),
  }),
})

/** Saves every N steps, and lowers the learning rate at every second evaluation, which is state that a resumed run must restore. */
export const toyCallback = definePlugin({
  kind: CALLBACK,
  name: 'toy-callback',
  summary: 'Saves checkpoints, and lowers the learning rate at every second evaluation',
  options: z.strictObject({ everySteps: z.int().default(5) }),
  create:
    ({ everySteps }): Callback =>
    (events) => {
      let evaluations = 0
      return events.pipe(
        mergeMap((event): Command[] => {
          if (event.type === 'step.completed' && event.step % everySteps === 0)
            return [{ type: 'save', because: 'interval' }]
          if (event.type === 'evaluation.completed' && ++evaluations % 2 === 0)
            return [{ type: 'scaleLearningRate', factor: 0.5, because: `evaluation ${evaluations}` }]
          return []
        }),
      )
    },
})

/** All toy plugins, for `searchPaths.registered` of a run that is resumed by name. */
export const toyPlugins: AnyPlugin[] = [
  toyEngine,
  toySource,
  toyTokenizer,
  toyModel,
  toyObjective,
  toyAdapter,
  toyOptimizer,
  toyScheduler,
  toyMetric,
  toyCallback,
]

/** A toy configuration: 60 examples in batches of 8, 8 steps per epoch, evaluated every 6 steps. */
export const toyConfig = (directory?: string) => ({
  seed: 3,
  ...(directory === undefined ? {} : { directory }),
  data: { train: { use: toySource, count: 60 }, validation: { use: toySource, count: 20, from: 1000 } },
  tokenizer: toyTokenizer,
  model: { use: toyModel },
  objective: { use: toyObjective },
  adapter: toyAdapter,
  engine: toyEngine,
  optimizer: toyOptimizer,
  scheduler: toyScheduler,
  metric: toyMetric,
  callback: { use: toyCallback },
  training: { epochs: 3, batchSize: 8, learningRate: 0.02, evaluateEvery: 6, shuffleBuffer: 16 },
})
