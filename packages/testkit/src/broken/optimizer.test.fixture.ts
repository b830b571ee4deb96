import { type Hyper, OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
import { add, keep, mul, neg, scalar, zerosLike } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { describeOptimizer } from '../describe-optimizer.js'
import type { OptimizerGolden } from '../optimizer-golden.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Momentum = Optimizer<{ speed: Params }>

/** Gradient descent with momentum. */
const momentum = definePlugin({
  kind: OPTIMIZER,
  name: 'momentum',
  summary: 'Gradient descent with momentum',
  options: z.strictObject({ share: z.number().min(0).lt(1).default(0.5).describe('Momentum coefficient') }),
  create: ({ share }): Momentum => ({
    init: (params) => ({ speed: mapParams((p) => zerosLike(p), params) }),
    update(grads, { speed }, _, { learningRate }) {
      const next = mapParams((g, s) => add(g, mul(share, s)), grads, speed)
      return { updates: mapParams((s) => neg(mul(learningRate, s)), next), state: { speed: next } }
    },
  }),
})

const golden: OptimizerGolden = {
  source: 'arithmetic',
  cases: [
    {
      options: { share: 0.5 },
      learningRates: [0.1, 0.2],
      initial: { p: { shape: [1], values: [1] } },
      gradients: [{ p: [1] }, { p: [2] }],
      expected: [{ p: [0.9] }, { p: [0.4] }],
    },
  ],
}

/** Minimizations with more momentum than the default. */
const minimizes = {
  options: { share: 0.95 },
  parabola: { learningRate: 0.3, steps: 350 },
  leastSquares: { learningRate: 0.3, steps: 350 },
  rosenbrock: { learningRate: 0.003, steps: 400 },
} as const

const keepsKeys = 'keeps the keys, shapes and dtypes of its state'
const byName = 'keys its state by parameter name'
const pure = 'is pure: returns the same bits for the same input and does not modify it'
const rate = 'reads the learning rate as an input, not as a compiled-in constant'
const resumes = 'resumes from a saved state with the same bits'
const minimizesLogistic = 'minimizes logistic regression within 0.0001'
const minimizesMatrix = 'minimizes least squares for a matrix within 0.000001'
const minimizesAll = [
  'minimizes parabola within 0.000001',
  'minimizes Rosenbrock function within 0.001',
  minimizesLogistic,
  minimizesMatrix,
]
const agrees = 'agrees with arithmetic, case 1: {"share":0.5}'

type Update = Momentum['update']
/** Suite on an optimizer with another update; `change` is called once per instance. */
const updating = (change: (update: Update) => Update) => (): void =>
  describeOptimizer(
    altered<Momentum>(momentum, (sane) => ({ ...sane, update: change((...all) => sane.update(...all)) })),
    { golden, minimizes },
  )

/** Overwrites the memory of a tensor. */
const overwrite = (params: Params): void => void (Object.values(params)[0]!.dataSync()[0] = 7)

const numbered = (params: Params): Params => Object.fromEntries(Object.values(params).entries())
const positional = ({ init, update }: Momentum): Momentum => ({
  init: (params) => ({ speed: numbered(init(params).speed) }),
  update(grads, { speed }, params, hyper) {
    const named = mapParams((i) => speed[i]!, Object.fromEntries(Object.keys(grads).map((name, i) => [name, i])))
    const { updates, state } = update(grads, { speed: named }, params, hyper)
    return { updates, state: { speed: numbered(state.speed) } }
  },
})

/** Scales updates by the number of calls of this instance. */
const counting = (update: Update): Update => {
  let calls = 0
  return (grads, state, params, hyper) => {
    const next = update(grads, state, params, hyper)
    return { ...next, updates: mapParams((u) => mul(u, 1 - 0.5 ** ++calls), next.updates) }
  }
}

/** Keeps the first learning rate. */
const fixed = (update: Update): Update => {
  let first: number | undefined
  return (grads, state, params, { learningRate, ...hyper }) =>
    update(grads, state, params, { ...hyper, learningRate: scalar((first ??= learningRate.dataSync()[0]!)) })
}

const onHost = ({ learningRate, ...hyper }: Hyper): Hyper => ({
  ...hyper,
  learningRate: scalar(learningRate.dataSync()[0]!),
})

/** Optimizer specimens. */
export const optimizers: readonly Specimen[] = [
  valid('momentum', () => describeOptimizer(momentum, { golden, minimizes })),
  broken(
    'modifies the gradients',
    [pure, rate, minimizesLogistic, agrees],
    updating(
      (update) =>
        (grads, ...rest) => (overwrite(grads), update(grads, ...rest)),
    ),
  ),
  broken(
    'modifies the parameters',
    [pure, rate, resumes, minimizesLogistic, agrees],
    updating((update) => (grads, state, params, hyper) => (overwrite(params), update(grads, state, params, hyper))),
  ),
  broken('keys its state by position', [byName], () =>
    describeOptimizer(altered(momentum, positional), { golden, minimizes }),
  ),
  broken('has no state before the first step', [keepsKeys], () =>
    describeOptimizer(
      altered<Momentum>(momentum, ({ init, update }) => ({
        init: () => ({}),
        update: (grads: Params, state: { speed?: Params }, params: Params, hyper: Hyper) =>
          update(grads, { speed: state.speed ?? init(params).speed }, params, hyper),
      })),
      { golden, minimizes },
    ),
  ),
  broken('counts its calls', [pure, resumes, agrees], updating(counting)),
  broken('keeps the first learning rate', [rate, agrees], updating(fixed)),
  broken(
    'reads the learning rate on the host',
    [rate],
    updating((update) => (grads, state, params, hyper) => update(grads, state, params, onHost(hyper))),
  ),
  broken(
    'leaks a tensor at each step',
    ['frees all intermediate tensors'],
    updating(
      (update) =>
        (grads, ...rest) => (keep(scalar(0)), update(grads, ...rest)),
    ),
  ),
  broken(
    'ascends',
    [...minimizesAll, agrees],
    updating((update) => (...all) => ({ ...update(...all), updates: mapParams(neg, update(...all).updates) })),
  ),
  broken(
    'does not decay its momentum',
    [agrees],
    updating(
      (update) =>
        (grads, { speed }, ...rest) =>
          update(grads, { speed: mapParams((s) => mul(s, 1.01), speed) }, ...rest),
    ),
  ),
  broken(
    'is excused from a task that it solves',
    ['does not minimize parabola within 0.000001, but within 0.1: it is said to fail'],
    () =>
      describeOptimizer(
        altered(momentum, (sane) => sane, { exceptions: { parabola: 'it is said to fail' } }),
        { golden, minimizes: { ...minimizes, parabola: { ...minimizes.parabola, reaches: 0.1 } } },
      ),
  ),
  broken('accepts any options', uncheckedFails(4), () => describeOptimizer(unchecked(momentum), { golden, minimizes })),
]
