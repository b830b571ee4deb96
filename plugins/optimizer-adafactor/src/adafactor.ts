import { OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
import {
  addDecayedWeights,
  chain,
  movingAverage,
  norm,
  scaleByLearningRate,
  weightDecayOption,
  zerosOf,
} from '@attune/nn'
import { type Tensor, add, div, expandDims, maximum, mean, mul, pow, rsqrt, square, sub } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * Moving averages of squared gradients: of tensors of rank 2 or more the means of each row, `[…, rows]`, and of each column,
 * `[…, columns]`; of vectors all.
 */
type State = { readonly rows: Params; readonly columns: Params; readonly meanSquare: Params }

const pick = (params: Params, factored: boolean): Params =>
  Object.fromEntries(Object.entries(params).filter(([, { rank }]) => rank >= 2 === factored))

const rootMeanSquare = (x: Tensor): Tensor => div(norm(x), Math.sqrt(Math.max(1, x.size)))

/** 1 / √v of the rank-1 estimate of v from its row and column means. */
const factoredRoot = (rows: Tensor, columns: Tensor): Tensor =>
  mul(expandDims(rsqrt(div(rows, mean(rows, -1, true))), -1), expandDims(rsqrt(columns), -2))

/** Divides by the root of a factored mean square, and clips the root mean square of each update. */
const scaleByFactors = (decayExponent: number, squareEpsilon: number, clipThreshold: number): Optimizer<State> => ({
  init(params) {
    const [matrices, vectors] = [pick(params, true), pick(params, false)]
    return {
      rows: mapParams((zeros) => mean(zeros, -1), zerosOf(matrices)),
      columns: mapParams((zeros) => mean(zeros, -2), zerosOf(matrices)),
      meanSquare: zerosOf(vectors),
    }
  },
  update(grads, state, _params, { step }) {
    const decay = sub(1, pow(step, -decayExponent))
    const squares = mapParams((g) => add(square(g), squareEpsilon), grads)
    const matrices = pick(squares, true)
    const rows = movingAverage(
      decay,
      state.rows ?? {},
      mapParams((s) => mean(s, -1), matrices),
    )
    const columns = movingAverage(
      decay,
      state.columns ?? {},
      mapParams((s) => mean(s, -2), matrices),
    )
    const meanSquare = movingAverage(decay, state.meanSquare ?? {}, squares)
    const roots = { ...mapParams(factoredRoot, rows, columns), ...mapParams((v) => rsqrt(v), meanSquare) }
    const clip = (u: Tensor): Tensor => div(u, maximum(1, div(rootMeanSquare(u), clipThreshold)))
    return { updates: mapParams((g, root) => clip(mul(g, root)), grads, roots), state: { rows, columns, meanSquare } }
  },
})

/** Multiplies each update by the root mean square of its parameter. */
const scaleByParameter = (minimum: number): Optimizer<Record<never, never>> => ({
  init: () => ({}),
  update: (updates, state, params) => ({
    updates: mapParams((u, p) => mul(u, maximum(minimum, rootMeanSquare(p))), updates, params),
    state,
  }),
})

/**
 * Adafactor: adaptive steps with one number per row and per column in place of a second moment per weight, and no first moment.
 *
 *     decay = 1 − step^(−decayExponent),   R, C ← moving averages of the row and column means of g² + squareEpsilon
 *     u = g / √(R Cᵀ / mean(R)),   u ← u / max(1, rms(u) / clipThreshold)
 *     Δ = −learningRate · max(parameterEpsilon, rms(p)) · u − learningRate · weightDecay · p
 *
 * Near neighbour: AdamW, which keeps two numbers per weight. The paper's relative step size `min(0.01, 1 / √step)` is a schedule: take the
 * scheduler inverse-square-root. The update is that of Adafactor in transformers with relative_step off; weight decay is not scaled by
 * rms(p), as in torch.optim.Adafactor.
 */
export const adafactor = definePlugin({
  kind: OPTIMIZER,
  name: 'adafactor',
  summary: 'Adaptive steps with a factored second moment, for little memory (Adafactor)',
  source: 'Shazeer and Stern, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost, 2018, algorithms 4 and 5',
  exceptions: {
    rosenbrock: 'reaches 0.06 in 400 steps: without momentum, steps along the curved valley are short',
  },
  options: z.strictObject({
    decayExponent: z.number().positive().max(1).default(0.8).describe('Exponent of the decay rate, which rises to 1'),
    squareEpsilon: z.number().positive().default(1e-30).describe('Added to squared gradients'),
    clipThreshold: z.number().positive().default(1).describe('Largest root mean square of the update of a tensor'),
    scaleByParameter: z
      .boolean()
      .default(true)
      .describe('Multiply the learning rate by the root mean square of each parameter tensor'),
    parameterEpsilon: z.number().positive().default(1e-3).describe('Smallest root mean square of a parameter tensor'),
    weightDecay: weightDecayOption(0),
  }),
  create: ({ decayExponent, squareEpsilon, clipThreshold, scaleByParameter: scales, parameterEpsilon, weightDecay }) =>
    chain(
      scaleByFactors(decayExponent, squareEpsilon, clipThreshold),
      ...(scales ? [scaleByParameter(parameterEpsilon)] : []),
      addDecayedWeights(weightDecay),
      scaleByLearningRate(),
    ),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer adafactor': typeof adafactor
  }
}

export default adafactor
