import {
  type HostArray,
  type Key,
  type LayerSite,
  type Mode,
  type Model,
  type Params,
  deriveKey,
  stream,
} from '@attune/core'
import { type Tensor, matMul, mul } from '@tensorflow/tfjs-core'
import { dropout } from '../layers/dropout.js'

const [DOWN, UP] = ['.lora_A.weight', '.lora_B.weight'] as const

/** Name of the factor `A` of a layer, `[rank, in]`. */
export const downOf = (layer: string): string => layer + DOWN
/** Name of the factor `B` of a layer, `[out, rank]`. */
export const upOf = (layer: string): string => layer + UP

/** The layers with a low-rank update, its rank, and alpha, of which {@link scaleOf} is computed. */
export interface Factors {
  readonly layers: readonly string[]
  readonly rank: number
  readonly alpha: number
  /** True if the update is multiplied by alpha / √rank (rsLoRA) instead of alpha / rank. Default: false. */
  readonly stabilized?: boolean
  /** Ranks of the layers whose rank differs, by layer: peft's `rank_pattern`. Default: none. */
  readonly ranks?: Readonly<Record<string, number>>
  /** Alphas of the layers whose alpha differs, by layer: peft's `alpha_pattern`. Default: none. */
  readonly alphas?: Readonly<Record<string, number>>
}

/** Rank of a layer's update. */
export const rankOf = ({ rank, ranks }: Factors, layer: string): number => ranks?.[layer] ?? rank

/** Factor of a layer's update: alpha / rank, or alpha / √rank if the factors are rank-stabilized. */
export function scaleOf(factors: Factors, layer: string): number {
  const rank = rankOf(factors, layer)
  return (factors.alphas?.[layer] ?? factors.alpha) / (factors.stabilized === true ? Math.sqrt(rank) : rank)
}

/** Numbers of outputs and inputs of a linear layer, `[out, in]`, in either layout of its weight. */
export function layerSize({ inputFirst }: Pick<Model, 'inputFirst'>, params: Params, layer: string): [number, number] {
  const [first, second] = params[`${layer}.weight`]!.shape as [number, number]
  return inputFirst === true ? [second, first] : [first, second]
}

/** Shapes of the factors of all layers, by name. */
export const factorShapes = (factors: Factors, model: Model, params: Params) =>
  Object.fromEntries(
    factors.layers.flatMap((layer): [string, readonly [number, number]][] => {
      const [outputs, inputs] = layerSize(model, params, layer)
      const rank = rankOf(factors, layer)
      return [
        [downOf(layer), [rank, inputs]],
        [upOf(layer), [outputs, rank]],
      ]
    }),
  )

/** New factors: `A` uniform within ±1/√in, the bound of peft's kaiming_uniform(√5), and `B` zero. */
export function initialFactors(factors: Factors, model: Model, params: Params, key: Key): Record<string, HostArray> {
  const shapes = factorShapes(factors, model, params)
  const entries = factors.layers.flatMap((layer): [string, HostArray][] => {
    const [down, up] = [shapes[downOf(layer)]!, shapes[upOf(layer)]!]
    const next = stream(deriveKey(key, 'lora', layer))
    const bound = 1 / Math.sqrt(down[1])
    const values = Float32Array.from({ length: down[0] * down[1] }, () => bound * (2 * next() - 1))
    return [
      [downOf(layer), { shape: down, dtype: 'float32', values }],
      [upOf(layer), { shape: up, dtype: 'float32', values: new Float32Array(up[0] * up[1]) }],
    ]
  })
  return Object.fromEntries(entries)
}

/** The mode with a random stream of the layer's own, derived from its name. */
const modeFor = (layer: string, mode: Mode): Mode =>
  mode.training ? { ...mode, key: { ...mode.key, stream: deriveKey([0, 0], 'lora', layer)[0] | 0 } } : mode

/** The factors `A` and `B` at a site. Undefined for other layers, and for those without factors. */
export function factorsAt({ kind, name, params }: LayerSite): readonly [Tensor, Tensor] | undefined {
  const [down, up] = [params[downOf(name)], params[upOf(name)]]
  return kind !== 'linear' || down === undefined || up === undefined ? undefined : [down, up]
}

/** The input of the factors, with dropout of the layer's own, `[rows, in]`. */
export const factorInput = (name: string, x: Tensor, rate: number, mode: Mode): Tensor =>
  dropout(x, rate, modeFor(name, mode))

/** The low-rank update of a layer's output, `scale · (x·Aᵀ)·Bᵀ`, `[rows, out]`. */
export const lowRankOutput = (x: Tensor, [down, up]: readonly [Tensor, Tensor], scale: number): Tensor =>
  matMul(mul(matMul(x, down, false, true), scale), up, false, true)

/** The low-rank update of a layer's weight, `scale · B·A`, in the weight's layout. */
export function lowRankWeight({ inputFirst }: Model, factors: Factors, all: Params, layer: string): Tensor {
  const [down, up] = [all[downOf(layer)]!, all[upOf(layer)]!]
  const product = inputFirst === true ? matMul(down, up, true, true) : matMul(up, down)
  return mul(product, scaleOf(factors, layer))
}
