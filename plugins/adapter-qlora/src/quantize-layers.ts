import type { Engine, HostArray, LayerSite, Model, Params } from '@attune/core'
import {
  type Nf4Weight,
  dequantizeNf4,
  fitsNf4Table,
  isOwn,
  isTokenTable,
  layerSize,
  nf4Product,
  nf4Table,
  nf4Tensors,
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

/** Shapes of the word embeddings and of output layers with a row per token, by name. Without tables whose rows are not whole blocks. */
export const tablesOf = (model: Model, params: Params): Tables =>
  new Map(
    Object.keys(params)
      .filter((name) => name === model.wordEmbeddings || (!isOwn(model, name) && isTokenTable(model, params, name)))
      .filter((name) => name.endsWith('.weight') && fitsNf4Table(params[name]!.shape))
      .map((name) => [name.slice(0, -'.weight'.length), params[name]!.shape as [number, number]]),
  )

/**
 * The weights of the layers and the tables in NF4, by name. They are read from the device and quantized one by one, weights in the layout
 * `[out, in]` for every family, as bitsandbytes does.
 */
export async function quantizeWeights(
  engine: Engine,
  { inputFirst }: Model,
  params: Params,
  how: { readonly sizes: Sizes; readonly tables: Tables; readonly doubleQuantization: boolean },
): Promise<Params> {
  const { sizes, tables, doubleQuantization } = how
  const packed: Params[] = []
  for (const layer of [...tables.keys(), ...sizes.keys()]) {
    const { weight } = (await engine.read({ weight: params[`${layer}.weight`]! })) as { readonly weight: HostArray }
    const own = weight.values as Float32Array
    const [, inputs] = sizes.get(layer) ?? []
    const values = inputFirst === true && inputs !== undefined ? transposed(own, inputs) : own
    const tensors = tables.has(layer)
      ? nf4Table(layer, weight, doubleQuantization)
      : nf4Tensors(layer, values, doubleQuantization)
    packed.push(engine.put(tensors) as Params)
  }
  return Object.assign({}, ...packed) as Params
}

/** The dequantized tables, by name. */
export const plainTables = (params: Params, tables: Tables): Params =>
  Object.fromEntries(
    [...tables].map(([layer, shape]) => [`${layer}.weight`, dequantizeNf4({ layer, params, shape })] as const),
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
