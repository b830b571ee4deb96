import type { Engine, HostArray, LayerSite, Model, Params } from '@attune/core'
import {
  type Nf4Weight,
  dequantizeNf4,
  fitsNf4Table,
  halfTable,
  hasNf4,
  isOwn,
  isTokenTable,
  layerSize,
  nf4Product,
  nf4Table,
  nf4Tensors,
  parameter,
  readsHalfTables,
} from '@attune/nn'
import { type Tensor, add, transpose } from '@tensorflow/tfjs-core'

/** Transposes a matrix of `rows` rows on the host. */
function transposed(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows
  return values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!)
}

/** Shapes `[out, in]` of linear layers, by name. */
export const sizesOf = (model: Model, params: Params, layers: readonly string[]) =>
  new Map(layers.map((layer) => [layer, layerSize(model, params, layer)]))

type Sizes = ReturnType<typeof sizesOf>

type Tables = ReadonlyMap<string, readonly [entries: number, width: number]>

/** Shapes of the word embeddings and of output layers with a row per token, by name. */
export const tablesOf = (model: Model, params: Params): Tables =>
  new Map(
    Object.keys(params)
      .filter((name) => name === model.wordEmbeddings || (!isOwn(model, name) && isTokenTable(model, params, name)))
      .filter((name) => name.endsWith('.weight'))
      .map((name) => [name.slice(0, -'.weight'.length), params[name]!.shape as [number, number]]),
  )

/** Options of {@link packWeights}. */
export interface Packing {
  readonly sizes: Sizes
  readonly tables: Tables
  readonly doubleQuantization: boolean
  readonly quantizeEmbeddings: boolean
}

/** The tensors of a layer or table; undefined for a table that float16 cannot hold exactly. */
function packed(layer: string, weight: HostArray, inputFirst: boolean, how: Packing) {
  const size = how.sizes.get(layer)
  if (size === undefined)
    return how.quantizeEmbeddings && fitsNf4Table(weight.shape)
      ? nf4Table(layer, weight, how.doubleQuantization)
      : halfTable(layer, weight)
  const own = weight.values as Float32Array
  return nf4Tensors(layer, inputFirst ? transposed(own, size[1]) : own, how.doubleQuantization)
}

/**
 * The packed weights of the layers and the tables, and the names of the weights that they replace. Weights are read from the device and
 * packed one by one: layers in NF4, in the layout `[out, in]` for every family, as bitsandbytes does; tables in NF4, or in float16 if that
 * is exact and the engine reads it.
 */
export async function packWeights(engine: Engine, { inputFirst }: Model, params: Params, how: Packing) {
  const packedTables = [...how.tables].filter(
    ([, shape]) => readsHalfTables() || (how.quantizeEmbeddings && fitsNf4Table(shape)),
  )
  const frozen: Params[] = []
  const replaces = new Set<string>()
  for (const layer of [...packedTables.map(([table]) => table), ...how.sizes.keys()]) {
    const name = `${layer}.weight`
    const { weight } = (await engine.read({ weight: params[name]! })) as { readonly weight: HostArray }
    const tensors = packed(layer, weight, inputFirst === true, how)
    if (tensors === undefined) continue
    frozen.push(engine.put(tensors) as Params)
    replaces.add(name)
  }
  return { frozen: Object.assign({}, ...frozen) as Params, replaces }
}

/** The tables in float32, by name. */
export const plainTables = (params: Params, tables: Tables): Params =>
  Object.fromEntries(
    [...tables].map(([layer, shape]) => {
      const name = `${layer}.weight`
      return [name, hasNf4(params, layer) ? dequantizeNf4({ layer, params, shape }) : parameter(params, name)]
    }),
  )

const weightOf = (layer: string, params: Params, sizes: Sizes): Nf4Weight => ({
  layer,
  params,
  shape: sizes.get(layer)!,
})

/** Output of a linear layer with an NF4 weight: `x·Wᵀ + b`, `[rows, out]`. */
export function quantizedLinear({ name, params }: LayerSite, x: Tensor, sizes: Sizes): Tensor {
  const product = nf4Product(x, weightOf(name, params, sizes))
  const bias = params[`${name}.bias`]
  return bias === undefined ? product : add(product, bias)
}

/** The dequantized weight of a layer in the checkpoint's layout. */
export function plainWeight({ inputFirst }: Model, params: Params, sizes: Sizes, layer: string): Tensor {
  const weight = dequantizeNf4(weightOf(layer, params, sizes))
  return inputFirst === true ? transpose(weight) : weight
}
