import '@tensorflow/tfjs'
import {
  type Engine,
  type HostArray,
  type HostTree,
  type Hyper,
  type Model,
  type Objective,
  type Optimizer,
  type Params,
  type Tree,
  key,
  mapParams,
} from '@attune/core'
import { type ClassificationBatch, type ClassificationItem, classificationItems } from '@attune/data'
import { type JitOptions, BACKEND, jit, registerHostKernel } from '@attune/jit'
import {
  DROPOUT_MASK,
  type MaskAttributes,
  NOISE,
  type NoiseAttributes,
  chain,
  crossEntropy,
  dropout,
  filledWith,
  modeAt,
  initialClassifier,
  linear,
  maskValues,
  noiseValues,
  toDevice,
  toHost,
  release,
  scaleByLearningRate,
} from '@attune/nn'
import { tinyModel, tinyTokenizer } from '@attune/testkit'
import { type Tensor, add, enableProdMode, getBackend, memory, ones, setBackend } from '@tensorflow/tfjs-core'
import { type HostInputs, compileStep, stepInputs } from './compiled-step.js'
import { NO_CONSTANTS, type StepConstants } from './loss-function.js'
import type { StepComponents } from './training-step.js'

/** An engine that compiles a function into one ONNX graph, like the ONNX Runtime plugin. */
export function graphEngine(): Engine {
  const select = (): void => {
    if (getBackend() !== BACKEND) void setBackend(BACKEND)
  }
  const options: JitOptions = { threads: 1 }
  return {
    device: 'ONNX Runtime',
    async start() {
      enableProdMode()
      registerHostKernel({
        kernelName: DROPOUT_MASK,
        compute: (attributes, into, seed) => void maskValues(seed!, attributes as unknown as MaskAttributes, into),
      })
      registerHostKernel({
        kernelName: NOISE,
        compute: (attributes, into, seed) => void noiseValues(seed!, attributes as unknown as NoiseAttributes, into),
      })
      select()
      await Promise.resolve()
    },
    compile: (fn, how = {}) => jit(fn, { ...options, ...how }),
    put: (tree) => (select(), toDevice(tree)),
    read: toHost,
    release,
    live: () => memory().numTensors,
    close: () => Promise.resolve(),
  }
}

/** The tiny model without dropout, so that its loss is deterministic. */
export const quietModel = (): Model => {
  const model = tinyModel()
  return { ...model, headDropout: 0, forward: (params, inputs) => model.forward(params, inputs, { training: false }) }
}

const tokenizer = tinyTokenizer()
const items = classificationItems({ tokenizer, text: 'text', maximumLength: 12, padToMultipleOf: 12 })

/** A binary classifier on a model, with changes. */
export const tinyObjective = (
  model: Model,
  change: Partial<Objective<ClassificationItem, ClassificationBatch, Tensor>> = {},
): Objective<ClassificationItem, ClassificationBatch, Tensor> => ({
  views: ['label'],
  maximumLength: 12,
  config: {},
  init: (from) => initialClassifier(model, 2, from),
  encode: (example) => items.encode(example, Number(example['label'])),
  encodeUnlabelled: (example) => items.encode(example, -1),
  collate: items.collate,
  head: (params, { pooled }, mode) =>
    linear(params, 'classifier', dropout(pooled, model.headDropout, modeAt(mode, 999))),
  loss: (logits, { labels }) => ({ losses: crossEntropy(logits, labels), weights: ones([labels.shape[0] as number]) }),
  predict: (_, all) => all.map(() => ({ label: 0 })),
  reference: ({ label }) => ({ label }),
  ...change,
})

/** Items of texts generated from their index, labelled by whether the text begins with a vowel. */
export const tinyItems = (count: number): ClassificationItem[] =>
  Array.from({ length: count }, (_, i) => {
    const text = Array.from({ length: 3 + (i % 6) }, (_, j) => 'abcdefghij'[(i * i * 7 + j * 3 + i * j) % 10]).join('')
    return items.encode({ text }, 'aei'.includes(text[0]!) ? 1 : 0)
  })

/** Initial parameters of the model and a binary classifier. */
export const tinyParams = (engine: Engine, more: Readonly<Record<string, readonly number[]>> = {}): Params =>
  engine.compile(() => ({
    ...tinyModel().init(key(3)),
    ...initialClassifier(tinyModel(), 2, key(4)),
    ...Object.fromEntries(Object.entries(more).map(([name, shape]) => [name, filledWith(shape, 0.05)])),
  }))()

/** Splits parameters into trainable ones, whose names match, and frozen ones. */
export const splitParams = (
  params: Params,
  trains: RegExp,
): { readonly trainable: Params; readonly frozen: Params } => {
  const part = (is: boolean): Params =>
    Object.fromEntries(Object.entries(params).filter(([name]) => trains.test(name) === is))
  return { trainable: part(true), frozen: part(false) }
}

/** Copies parameters, since the state is donated to a step. */
export const copyOf = async (engine: Engine, params: Params): Promise<Params> =>
  engine.put((await engine.read(params)) as HostTree) as Params

/** Per-step inputs on the device. */
export const hyperOf = (engine: Engine, inputs: Partial<HostInputs> = {}): Hyper =>
  engine.put(stepInputs({ learningRate: 0.1, step: 1, steps: 10, seed: key(5), ...inputs })) as Hyper

/** Stochastic gradient descent. */
export const descent = (): Optimizer => chain(scaleByLearningRate())

/** Takes steps on one batch; returns the losses and the final parameters on the host. */
export async function takeSteps(
  engine: Engine,
  parts: Omit<StepComponents, 'launchBound' | 'optimizer'> & { readonly optimizer?: Optimizer },
  given: {
    readonly steps: number
    readonly trainable: Params
    readonly frozen?: Params
    readonly count?: number
    readonly learningRate?: number
    readonly constants?: Partial<Pick<StepConstants, 'models' | 'regularizers' | 'masks'>>
    readonly scheduled?: (step: number) => Readonly<Record<string, number>>
  },
) {
  const { optimizer = descent() } = parts
  const { steps, frozen = {}, count = 8, learningRate = 0.1, scheduled } = given
  const trainable = await copyOf(engine, given.trainable)
  const step = compileStep(engine, { ...parts, optimizer })
  let state = { trainable, optimizer: engine.compile(() => optimizer.init(trainable))() as Tree }
  const batch = parts.objective.collate(tinyItems(count))
  const constants = { ...NO_CONSTANTS, ...given.constants } as StepConstants
  const losses: number[] = []
  for (let i = 1; i <= steps; i++) {
    const inputs = { learningRate, step: i, steps, seed: key(i), ...(scheduled && { scheduled: scheduled(i) }) }
    const result = step.run(state, { frozen, constants }, [batch], inputs)
    state = result.state
    losses.push((await engine.read(result.loss)).values[0] as number)
  }
  step.dispose()
  return { losses, trainable: (await engine.read(state.trainable)) as Readonly<Record<string, HostArray>>, state }
}

/** Maximum absolute difference between two sets of parameters. */
export function maximumDifference(
  a: Readonly<Record<string, HostArray>>,
  b: Readonly<Record<string, HostArray>>,
): number {
  let most = 0
  for (const [name, { values }] of Object.entries(a))
    values.forEach((value, i) => (most = Math.max(most, Math.abs(Number(value) - Number(b[name]!.values[i])))))
  return most
}

/** `a + scale · b`, parameter by parameter. */
export const plus = (a: Params, scale: Tensor | number, b: Params): Params =>
  mapParams((x, y) => add(x, y.mul(scale)), a, b)
