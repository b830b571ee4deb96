import type { Engine, HostArray, LayerSite, Model, Params } from '@attune/core'
import { type Nf4Weight, dequantizeNf4, layerSize, nf4Product, nf4Tensors } from '@attune/nn'
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

/**
 * The weights of the layers in NF4, by name. They are read from the device and quantized one by one, in the layout `[out, in]` for every
 * family, as bitsandbytes does.
 */
export async function quantizeLayers(
  engine: Engine,
  model: Model,
  params: Params,
  { sizes, doubleQuantization }: { readonly sizes: Sizes; readonly doubleQuantization: boolean },
): Promise<Params> {
  const packed: Params[] = []
  for (const [layer, [, inputs]] of sizes) {
    const { weight } = (await engine.read({ weight: params[`${layer}.weight`]! })) as { readonly weight: HostArray }
    const own = weight.values as Float32Array
    const values = model.inputFirst === true ? transposed(own, inputs) : own
    packed.push(engine.put(nf4Tensors(layer, values, doubleQuantization)) as Params)
  }
  return Object.assign({}, ...packed) as Params
}

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
