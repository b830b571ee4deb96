import { OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
import {
  adamOptions,
  addDecayedWeights,
  chain,
  dequantizeBlocks,
  dynamicMap,
  partition,
  quantizeBlocks,
  scaleByAdam,
  scaleByLearningRate,
  weightDecayOption,
  zerosOf,
} from '@attune/nn'
import { z } from 'zod'

/** Codes, four per int32, and the largest absolute value per block, of both moments. */
type State = {
  readonly meanCodes: Params
  readonly meanScales: Params
  readonly meanSquareCodes: Params
  readonly meanSquareScales: Params
}

const [SIGNED, UNSIGNED] = [dynamicMap(true), dynamicMap(false)]

/** Adam scaling whose moments are stored in 8 bits between steps. */
function scaleByAdam8bit(adam: ReturnType<typeof scaleByAdam>, blockSize: number): Optimizer<State> {
  const store = (mean: Params, meanSquare: Params): State => {
    const first = mapParams((m) => quantizeBlocks(m, SIGNED, blockSize), mean)
    const second = mapParams((v) => quantizeBlocks(v, UNSIGNED, blockSize), meanSquare)
    return {
      meanCodes: mapParams(({ codes }) => codes, first),
      meanScales: mapParams(({ scales }) => scales, first),
      meanSquareCodes: mapParams(({ codes }) => codes, second),
      meanSquareScales: mapParams(({ scales }) => scales, second),
    }
  }
  const load = (codes: Params, scales: Params, like: Params, map: Float32Array): Params =>
    mapParams(
      (c, s, { shape }) => dequantizeBlocks({ codes: c, scales: s }, map, { blockSize, shape }),
      codes,
      scales,
      like,
    )
  return {
    init: (params) => store(zerosOf(params), zerosOf(params)),
    update(grads, state, params, hyper) {
      const mean = load(state.meanCodes, state.meanScales, grads, SIGNED)
      const meanSquare = load(state.meanSquareCodes, state.meanSquareScales, grads, UNSIGNED)
      const { updates, state: next } = adam.update(grads, { mean, meanSquare }, params, hyper)
      return { updates, state: store(next.mean, next.meanSquare) }
    },
  }
}

/**
 * AdamW with 8-bit states: both moments are kept in the 8-bit dynamic data type, block by block, in about a quarter of the memory.
 *
 *     m, v: 8-bit codes and a float32 scale per block;   Δ as in AdamW, from the moments before they are rounded
 *
 * Near neighbour: adamw, whose update it matches up to the rounding of the moments. As in bitsandbytes, small tensors keep float32 moments.
 */
export const adamw8bit = definePlugin({
  kind: OPTIMIZER,
  name: 'adamw-8bit',
  summary: 'AdamW with block-wise quantized 8-bit moments',
  source: 'Dettmers et al., 8-bit Optimizers via Block-wise Quantization, 2022, section 2',
  options: z.strictObject({
    ...adamOptions,
    weightDecay: weightDecayOption(0.01),
    blockSize: z.int().min(4).multipleOf(4).default(256).describe('Values that share a scale'),
    minimumSize: z.int().min(1).default(4096).describe('Tensors with fewer values keep float32 moments'),
  }),
  create: ({ beta1, beta2, epsilon, weightDecay, blockSize, minimumSize }) => {
    const adam = scaleByAdam(beta1, beta2, epsilon)
    return chain(
      partition((_name, { size }) => size >= minimumSize, scaleByAdam8bit(adam, blockSize), adam),
      addDecayedWeights(weightDecay),
      scaleByLearningRate(),
    )
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer adamw-8bit': typeof adamw8bit
  }
}

export default adamw8bit
