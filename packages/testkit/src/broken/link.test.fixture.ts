import { type Hyper, OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
import { clipByGlobalNorm } from '@attune/nn'
import { add, clone, expandDims, keep, mul, neg, scalar, sub, zeros } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { describeOptimizer } from '../describe-optimizer.js'
import type { OptimizerGolden } from '../optimizer-golden.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Anchored = Optimizer<{ anchor: Params }>
type Averaging = Optimizer<{ average: Params }>

const factor = (by: number) => z.number().min(0).max(1).default(by).describe('A factor')

/** Gradient clipping, a link without state. */
const clipping = definePlugin({
  kind: OPTIMIZER,
  name: 'clipping',
  summary: 'Gradient clipping by global norm',
  options: z.strictObject({ norm: z.number().positive().default(1).describe('Maximum norm') }),
  create: ({ norm }) => clipByGlobalNorm(norm),
})

/** L2-SP: a penalty on the distance from the initial parameters. */
const anchored = definePlugin({
  kind: OPTIMIZER,
  name: 'anchored',
  summary: 'L2-SP: a penalty on the distance from the initial parameters',
  options: z.strictObject({ strength: factor(0.1) }),
  create: ({ strength }): Anchored => ({
    init: (params) => ({ anchor: mapParams((p) => clone(p), params) }),
    update: (grads, state, params) => ({
      updates: mapParams((g, p, a) => add(g, mul(strength, sub(p, a))), grads, params, state.anchor),
      state,
    }),
  }),
})

/** Exponential moving average of the parameters, which are evaluated instead of them. */
const averaging = definePlugin({
  kind: OPTIMIZER,
  name: 'averaging',
  summary: 'Exponential moving average of the parameters',
  options: z.strictObject({ decay: factor(0.9) }),
  create: ({ decay }): Averaging => ({
    init: (params) => ({ average: mapParams((p) => clone(p), params) }),
    update: (updates, { average }, params) => ({
      updates,
      state: {
        average: mapParams((a, p, u) => add(mul(decay, a), mul(1 - decay, add(p, u))), average, params, updates),
      },
    }),
    evaluationParams: ({ average }) => mapParams((a) => clone(a), average),
  }),
})

/** Sharpness-aware minimization: the gradient at the parameters after an ascent step. */
const sharpness = definePlugin({
  kind: OPTIMIZER,
  name: 'sharpness',
  summary: 'Sharpness-aware minimization, without its normalization',
  options: z.strictObject({ radius: factor(0.05) }),
  create: ({ radius }): Optimizer<Record<never, never>> => ({
    needsClosure: true,
    init: () => ({}),
    update: (grads, state, params, _, closure) => ({
      updates: closure!(mapParams((p, g) => add(p, mul(radius, g)), params, grads)).grads,
      state,
    }),
  }),
})

const golden: OptimizerGolden = {
  source: 'arithmetic',
  cases: [
    {
      options: { norm: 1 },
      learningRates: [0.5, 0.5],
      initial: { p: { shape: [2], values: [1, 1] } },
      gradients: [{ p: [3, 4] }, { p: [0.6, 0] }],
      expected: [{ p: [0.7, 0.6] }, { p: [0.4, 0.6] }],
    },
  ],
}

const pure = 'is pure: returns the same bits for the same input and does not modify it'
const resumes = 'resumes from a saved state with the same bits'
const yields = 'returns an update for each gradient, of its shape and dtype, and reads no tensor on the host'
const passes = 'passes on the gradients of parameters outside `only`'
const same = 'computes the same bits compiled as eagerly, with an instance of its own for each step'
const minimizes = [
  'minimizes parabola with SGD within 0.000001',
  'minimizes least squares for a matrix with SGD within 0.000001',
]
const evaluates = 'returns evaluation parameters for all parameters, of the same shapes, and modifies nothing'
const agrees = 'agrees with arithmetic, case 1: {"norm":1}'

type Clipping = ReturnType<typeof clipByGlobalNorm>
/** Suite on gradient clipping with other updates. */
const clippingTo = (change: (updates: Params, hyper: Hyper, grads: Params) => Params) => (): void =>
  describeOptimizer(
    altered<Clipping>(clipping, ({ init, update }) => ({
      init,
      update: (grads: Params, state: Record<never, never>, params: Params, hyper: Hyper) => ({
        updates: change(update(grads, state, params, hyper).updates, hyper, grads),
        state,
      }),
    })),
    { link: 'before', golden },
  )

/** Suite on an average with other evaluation parameters. */
const evaluating = (change: (params: Params) => Params) => (): void =>
  describeOptimizer(
    altered<Averaging>(averaging, (sane) => ({
      ...sane,
      evaluationParams: (state: { average: Params }, params: Params) => change(sane.evaluationParams!(state, params)),
    })),
    { link: 'after' },
  )

/** The penalty moves the minimum. */
const withoutPenalty = { options: { strength: 0 } }

/** Keeps the initial parameters in the instance. */
const forgetful = ({ init, update }: Anchored): Optimizer<Record<never, never>> => {
  let anchor: Params | undefined
  return {
    init: () => ({}),
    update(grads, state, params, hyper) {
      anchor ??= mapParams((p) => keep(clone(p)), init(params).anchor)
      return { updates: update(grads, { anchor }, params, hyper).updates, state }
    },
  }
}

/** Overwrites the memory of a tensor. */
const overwrite = (params: Params): void => void (Object.values(params)[0]!.dataSync()[0] = 7)

const first = (params: Params): Params => Object.fromEntries(Object.entries(params).slice(0, 1))

/** Specimens of links of a chain of optimizers. */
export const links: readonly Specimen[] = [
  valid('gradient clipping', () => describeOptimizer(clipping, { link: 'before', golden })),
  valid('L2-SP', () => describeOptimizer(anchored, { link: 'before', minimizes: withoutPenalty })),
  valid('an average of the parameters', () => describeOptimizer(averaging, { link: 'after' })),
  valid('an optimizer with a closure', () => describeOptimizer(sharpness, { link: 'before' })),
  broken(
    'negates the gradients',
    [...minimizes, agrees],
    clippingTo((updates) => mapParams(neg, updates)),
  ),
  broken(
    'returns updates with another axis',
    [yields, agrees],
    clippingTo((updates) => mapParams((u) => expandDims(u, 0), updates)),
  ),
  broken(
    'returns an update for a parameter that it was not given',
    [passes],
    clippingTo((updates) => ({ ...updates, 'a.bias': zeros([3]) })),
  ),
  broken(
    'reads its input on the host',
    [yields, passes],
    clippingTo((updates, { step }) => (step.dataSync(), updates)),
  ),
  broken(
    'leaks a tensor at each step',
    ['frees all intermediate tensors'],
    clippingTo((updates) => (keep(scalar(0)), updates)),
  ),
  broken('keeps its state in the instance', [resumes, 'frees all intermediate tensors', same], () =>
    describeOptimizer(altered<Anchored>(anchored, forgetful), { link: 'before', minimizes: withoutPenalty }),
  ),
  broken('evaluates some parameters only', [evaluates], evaluating(first)),
  broken('overwrites its average when it is evaluated', [evaluates], () =>
    describeOptimizer(
      altered<Averaging>(averaging, (sane) => ({
        ...sane,
        evaluationParams: ({ average }: { average: Params }) => {
          overwrite(average)
          return mapParams((a) => clone(a), average)
        },
      })),
      { link: 'after' },
    ),
  ),
  broken(
    'modifies the gradients',
    [pure, yields, passes],
    clippingTo((updates, _, grads) => (overwrite(grads), updates)),
  ),
  broken(
    'is excused from a promise that it keeps',
    ['does not minimize parabola with SGD within 0.000001, but within 0.1: it is said to'],
    () =>
      describeOptimizer(
        altered(clipping, (sane) => sane, { exceptions: { parabola: 'it is said to' } }),
        { link: 'before', golden, minimizes: { parabola: { learningRate: 0.3, steps: 100, reaches: 0.1 } } },
      ),
  ),
  broken('accepts any options', uncheckedFails(3), () =>
    describeOptimizer(unchecked(clipping), { link: 'before', golden }),
  ),
]
