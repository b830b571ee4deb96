import type { Key, Model, Params } from '@attune/core'
import { deriveKey } from '@attune/core'
import { pool } from '../heads/pooling.js'
import { activation } from '../layers/activation.js'
import { filledWith, normal } from '../layers/initialise.js'
import { layerNorm } from '../layers/layer-norm.js'
import { linear } from '../layers/linear.js'
import { type Tensor, add, concat, div, maximum, scalar, sqrt, square, sum } from '@tensorflow/tfjs-core'
import type { SentenceModel } from './sentence-model.js'
import type { SentenceModule } from './sentence-modules.js'

/** Epsilon of `torch.nn.LayerNorm`. */
const EPSILON = 1e-5

/** Rows unitRows to length 1, `[rows, hidden]`; a row of zeros stays zero. */
export const unitRows = (vectors: Tensor): Tensor =>
  div(vectors, maximum(sqrt(sum(square(vectors), 1, true)), scalar(1e-12)))

type Dense = Extract<SentenceModule, { type: 'Dense' }>

function dense({ path, bias, residual, activation: name, inFeatures, outFeatures }: Dense, params: Params, x: Tensor) {
  const y = activation(name)(linear(params, `${path}.linear`, x, { bias }))
  if (!residual) return y
  return add(y, inFeatures === outFeatures ? x : linear(params, `${path}.residual`, x, { bias: false }))
}

/** Applies the modules after pooling to the vectors of texts, `[rows, width]`. */
export const applyModules = (modules: readonly SentenceModule[], params: Params, vectors: Tensor): Tensor =>
  modules.reduce((x, each) => {
    if (each.type === 'Normalize') return unitRows(x)
    return each.type === 'Dense' ? dense(each, params, x) : layerNorm(params, `${each.path}.norm`, x, EPSILON)
  }, vectors)

/** Vectors of texts from their hidden states, `[rows, width]`. @param mask 1 for the tokens to pool, int32 `[rows, length]` */
export const pooledStates = ({ modes }: NonNullable<SentenceModel['pooling']>, states: Tensor, mask: Tensor): Tensor =>
  modes.length === 1
    ? pool(modes[0]!, states, mask)
    : concat(
        modes.map((mode) => pool(mode, states, mask)),
        1,
      )

/** Initial parameters of the modules; each is named by its path and its name in the module. */
export function initialModules(modules: readonly SentenceModule[], { initializerRange }: Model, key: Key): Params {
  const weight = (name: string, shape: [number, number]) => [
    name,
    normal(deriveKey(key, name), shape, initializerRange),
  ]
  const all = modules.flatMap((each) => {
    if (each.type === 'Normalize') return []
    if (each.type === 'LayerNorm')
      return [
        [`${each.path}.norm.weight`, filledWith([each.dimension], 1)],
        [`${each.path}.norm.bias`, filledWith([each.dimension], 0)],
      ]
    const { path, inFeatures, outFeatures, bias, residual } = each
    return [
      weight(`${path}.linear.weight`, [outFeatures, inFeatures]),
      ...(bias ? [[`${path}.linear.bias`, filledWith([outFeatures], 0)]] : []),
      ...(residual && inFeatures !== outFeatures ? [weight(`${path}.residual.weight`, [outFeatures, inFeatures])] : []),
    ]
  })
  return Object.fromEntries(all) as Params
}
