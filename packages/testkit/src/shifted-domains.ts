import {
  type AnyPlugin,
  type HostArray,
  type HostTree,
  type Hyper,
  type Model,
  type Objective,
  type OnDevice,
  type Params,
  type TextInputs,
  type Tree,
  key,
  mapParams,
  normals,
  stream,
} from '@attune/core'
import { linear } from '@attune/nn'
import { type Scalar, type Tensor, addN, cast, div, mul, sub, sum } from '@tensorflow/tfjs-core'
import { gradientsOf } from './gradients-of.js'
import { floats, integers } from './host-array.js'
import { referenceEngine } from './reference-engine.js'
import { chosenPlugin, tinyClassification } from './tiny-classification.js'
import { tinyModel } from './tiny-model.js'

const ROWS = 32
const LEARNING_RATE = 0.1
/** Coordinates are written as integers. */
const UNIT = 100

/** A model of points: the text holds two coordinates, and the pooled output is a linear map of them. */
const points: Model = {
  ...tinyModel(),
  hiddenSize: 2,
  headDropout: 0,
  init: () => ({}),
  forward(params, { inputIds }: TextInputs) {
    const pooled = linear(params, 'tiny.map', div(cast(inputIds, 'float32'), UNIT), { bias: false })
    return { pooled, lastHiddenState: pooled }
  },
}
const coordinates = {
  special: {},
  encode: (text: string) => ({ ids: text.split(' ').map(Number), typeIds: [0, 0], truncated: false }),
}

/** A point of a class, 1 or −1, in a domain. */
export type PointOf = (domain: 'source' | 'target', side: number, normal: () => number) => readonly [number, number]

/** Rows of both domains with labels `a` and `b`; only those of the source have them in the training data. */
function rowsOf(pointOf: PointOf, domain: 'source' | 'target', isLabelled: boolean, seed: number) {
  const normal = normals(stream(key(seed)))
  return Array.from({ length: ROWS }, (_, i) => {
    const text = pointOf(domain, i % 2 === 0 ? 1 : -1, normal)
      .map((x) => Math.round(x * UNIT))
      .join(' ')
    return { text, domain, ...(isLabelled ? { label: i % 2 === 0 ? 'a' : 'b' } : {}) }
  })
}

const BATCH_MODE = { training: false } as const

/** The mean training loss of an objective on the points. */
function meanLoss(objective: Objective, params: Params, batch: OnDevice<never>, hyper: Hyper): Scalar {
  const context = {
    params,
    trainable: params,
    hyper,
    mode: BATCH_MODE,
    models: {},
    forward: (inputs: TextInputs) => points.forward(params, inputs, BATCH_MODE),
  }
  const losses = objective.trainingLoss!(context, batch) as Record<string, { losses: Tensor; weights: Tensor }>
  const terms = Object.values(losses).map((each) => div(sum(mul(each.losses, each.weights)), sum(each.weights)))
  return addN(terms) as Scalar
}

/**
 * Accuracy on a target domain of an objective of domain adaptation: a linear model of two coordinates, trained by gradient descent on
 * labelled points of the source and unlabelled points of the target. The objective has the options `task`, `domain` and `source`.
 * @param options other options of the objective
 * @param steps number of steps of gradient descent
 */
export async function targetAccuracy(
  plugin: AnyPlugin,
  options: Readonly<Record<string, unknown>>,
  pointOf: PointOf,
  steps: number,
): Promise<number> {
  const engine = referenceEngine()
  await engine.start()
  const task = chosenPlugin(tinyClassification, { labels: ['a', 'b'] })
  const objective = plugin({ task, ...options }, { model: points, tokenizer: coordinates }) as Objective
  const train = [...rowsOf(pointOf, 'source', true, 1), ...rowsOf(pointOf, 'target', false, 2)]
  const encoded = train.map((row) => objective.encode(row))
  const batch = engine.put(objective.collate(encoded, () => 0) as HostTree) as never
  const step = engine.compile((p: Params, hyper: Hyper) =>
    mapParams(
      (x, g) => sub(x, mul(LEARNING_RATE, g)),
      p,
      gradientsOf((q) => meanLoss(objective, q, batch, hyper), p),
    ),
  )
  const map = { 'tiny.map.weight': floats([0.6, 0.2, -0.2, 0.6], [2, 2]) }
  let params: Params = { ...objective.init(key(4)), ...(engine.put(map) as Params) }
  const number = (value: number): HostArray => floats([value], [])
  for (let i = 1; i <= steps; i++) {
    const hyper = { learningRate: number(1), step: number(i), steps: number(steps), seed: integers([1, i], [2]) }
    params = step(params, engine.put({ ...hyper, scheduled: {} }) as Hyper)
  }
  const test = rowsOf(pointOf, 'target', true, 3).map((row) => objective.encode(row))
  const given = engine.put(objective.collate(test) as HostTree) as never
  const outputs = points.forward(params, (given as { inputs: TextInputs }).inputs, BATCH_MODE)
  const head = await engine.read(objective.head(params, outputs, BATCH_MODE, given) as Tree)
  const predicted = objective.predict(head as never, test)
  await engine.close()
  return predicted.filter(({ label }, i) => label === objective.reference(test[i]!)['label']).length / test.length
}
