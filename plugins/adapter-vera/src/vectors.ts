import {
  type Engine,
  type HostArray,
  type Key,
  type LayerSite,
  type Model,
  type Params,
  type SavedAdapter,
  AttuneError,
  deriveKey,
  excerpt,
  stream,
} from '@attune/core'
import {
  type Targets,
  layerSize,
  linearLayers,
  listedLayers,
  malformedAdapter,
  savedTensors,
  targetLayers,
  toPeft,
} from '@attune/nn'
import { type Tensor, matMul, mul, reshape, slice, transpose } from '@tensorflow/tfjs-core'

const [SCALES_OUT, SCALES_IN] = ['.vera_lambda_b', '.vera_lambda_d'] as const
/** Names of the vectors of a layer: λb `[out]` and λd `[rank]`. */
const vectorNames = (layer: string) => [layer + SCALES_OUT, layer + SCALES_IN] as const

/** Names of the shared matrices in peft's file. */
const SHARED = ['base_model.vera_A', 'base_model.vera_B'] as const
/** Prefix under which {@link fromPeft} finds them. */
const LAYOUT = 'base_model.model.'

export interface VeraOptions {
  readonly rank: number
  readonly initialScale: number
  readonly targets: Targets
}

interface Subject {
  readonly options: VeraOptions
  readonly model: Model
  readonly params: Params
}

/** The adapted layers with their rank, the vectors that train, and the frozen matrices that all layers share. */
export interface Vectors {
  readonly layers: readonly string[]
  readonly rank: number
  readonly tensors: Params
  /** Under the name of the first adapted layer: A `[rank, largest in]` and B `[largest out, rank]`. */
  readonly projections: Params
}

/** Names of the shared matrices, which belong to the first adapted layer. */
export const projectionNames = (layers: readonly string[]): readonly [string, string] => [
  `${layers[0]!}.vera_A`,
  `${layers[0]!}.vera_B`,
]

type Shapes = Readonly<Record<string, readonly number[]>>

const vectorShapes = (layers: readonly string[], rank: number, { model, params }: Subject): Shapes =>
  Object.fromEntries(
    layers.flatMap((layer) => {
      const [scalesOut, scalesIn] = vectorNames(layer)
      return [
        [scalesOut, [layerSize(model, params, layer)[0]]],
        [scalesIn, [rank]],
      ]
    }),
  )

/** Shapes of the shared matrices: those of the largest layer in each direction, as in peft. */
function projectionShapes(layers: readonly string[], rank: number, { model, params }: Subject) {
  const sizes = layers.map((layer) => layerSize(model, params, layer))
  const [outputs, inputs] = [0, 1].map((i) => Math.max(...sizes.map((size) => size[i]!))) as [number, number]
  return [
    [rank, inputs],
    [outputs, rank],
  ] as const
}

/** Uniform within ±√(6 / fan in), as peft's Kaiming initialization with a gain of √2; the fan in is the number of columns. */
function randomMatrix(shape: readonly [number, number], key: Key): HostArray {
  const next = stream(key)
  const bound = Math.sqrt(6 / shape[1])
  const values = Float32Array.from({ length: shape[0] * shape[1] }, () => bound * (2 * next() - 1))
  return { shape: [...shape], dtype: 'float32', values }
}

const filled = (shape: readonly number[], value: number): HostArray => ({
  shape: [...shape],
  dtype: 'float32',
  values: new Float32Array(shape[0]!).fill(value),
})

function newVectors(subject: Subject, { engine, randomness }: { engine: Engine; randomness: Key }): Vectors {
  const { options, model, params } = subject
  const { rank, initialScale, targets } = options
  const layers = targetLayers('vera', model, params, targets)
  const [a, b] = projectionShapes(layers, rank, subject)
  const [nameA, nameB] = projectionNames(layers)
  const vectors = Object.entries(vectorShapes(layers, rank, subject)).map(([name, shape]) => [
    name,
    filled(shape, name.endsWith(SCALES_IN) ? initialScale : 0),
  ])
  const projections = {
    [nameA]: randomMatrix(a, deriveKey(randomness, 'vera', 'A')),
    [nameB]: randomMatrix(b, deriveKey(randomness, 'vera', 'B')),
  }
  return {
    layers,
    rank,
    tensors: engine.put(Object.fromEntries(vectors)) as Params,
    projections: engine.put(projections) as Params,
  }
}

/** The rank of a saved adapter. @throws AttuneError `BAD_ADAPTER` */
function savedRank({ config, tensors }: SavedAdapter): number {
  const rank = config['r']
  if (typeof rank !== 'number' || !Number.isInteger(rank) || rank < 1)
    throw malformedAdapter(`has an invalid r in its adapter_config.json: ${excerpt(rank)}`)
  if (config['bias'] !== undefined && config['bias'] !== 'none')
    throw malformedAdapter(`has bias: ${excerpt(config['bias'])} in its adapter_config.json, which is not supported`)
  if (config['peft_type'] !== 'VERA' || SHARED.every((name) => tensors[name] !== undefined)) return rank
  throw malformedAdapter(
    'lacks its random matrices vera_A and vera_B',
    'Save it again with `save_projection=True`: they cannot be computed from the seed.',
  )
}

/** Requires that options that are set equal those of the saved adapter. @throws AttuneError `BAD_OPTIONS` */
function requireSame({ options, model, params }: Subject, layers: readonly string[], rank: number): void {
  const differs =
    (options.rank !== 256 && options.rank !== rank ? 'rank' : undefined) ??
    (options.targets !== 'attention' && String(targetLayers('vera', model, params, options.targets)) !== String(layers)
      ? 'targets'
      : undefined)
  if (differs === undefined) return
  throw new AttuneError(
    'BAD_OPTIONS',
    `adapter vera: expected \`${differs}\` as in the saved adapter, got ${excerpt(options[differs])}`,
    `Omit \`${differs}\`: it is taken from the saved adapter.`,
  )
}

function readSaved(subject: Subject, saved: SavedAdapter): Vectors {
  const rank = savedRank(saved)
  const linear = linearLayers(subject.model, subject.params)
  const known = new Set([...linear.flatMap(vectorNames), ...SHARED])
  const named = Object.entries(saved.tensors).map(([name, tensor]) => [
    (SHARED as readonly string[]).includes(name) ? LAYOUT + name : name,
    tensor,
  ])
  const layersIn = (found: Params): string[] => {
    const listed = new Set(listedLayers(saved, linear))
    const layers = linear.filter((layer) => listed.has(layer) || vectorNames(layer).some((name) => name in found))
    if (layers.length === 0) throw malformedAdapter('has no vectors vera_lambda_b and vera_lambda_d')
    return layers
  }
  const tensors = savedTensors(
    subject,
    { config: saved.config, tensors: Object.fromEntries(named) as Params },
    {
      type: 'VERA',
      isOwn: (name) => known.has(name),
      shapes(found) {
        const layers = layersIn(found)
        const shared = projectionShapes(layers, rank, subject)
        return { ...vectorShapes(layers, rank, subject), [SHARED[0]]: shared[0], [SHARED[1]]: shared[1] }
      },
    },
  )
  const layers = layersIn(tensors)
  requireSame(subject, layers, rank)
  const { [SHARED[0]]: a, [SHARED[1]]: b, ...own } = tensors
  const [nameA, nameB] = projectionNames(layers)
  return { layers, rank, tensors: own, projections: { [nameA]: a!, [nameB]: b! } }
}

/** New vectors and random matrices, or those of a saved adapter. @throws AttuneError `UNKNOWN_TARGET`, `BAD_ADAPTER`, `BAD_OPTIONS` */
export const initialVectors = (
  subject: Subject,
  given: { readonly engine: Engine; readonly randomness: Key },
  saved: SavedAdapter | undefined,
): Vectors => (saved === undefined ? newVectors(subject, given) : readSaved(subject, saved))

/** The tensors of an adapter by peft name: its vectors and heads, and the shared matrices. */
export const toPeftVera = ({ layers, projections }: Vectors, trainable: Params): Params => {
  const [nameA, nameB] = projectionNames(layers)
  return { ...toPeft(trainable), [SHARED[0]]: projections[nameA]!, [SHARED[1]]: projections[nameB]! }
}

/** The tensors of a layer: its vectors λb `[out]`, λd `[rank]`, and the parts of A `[rank, in]` and B `[out, rank]` that it uses. */
interface LayerVectors {
  readonly scalesOut: Tensor
  readonly scalesIn: Tensor
  readonly down: Tensor
  readonly up: Tensor
}

/** The vectors and matrices of a layer; undefined for a layer that is not adapted. */
export function layerVectors(
  all: Params,
  layers: readonly string[],
  layer: string,
  inputs: number,
): LayerVectors | undefined {
  const [nameOut, nameIn] = vectorNames(layer)
  const [scalesOut, scalesIn] = [all[nameOut], all[nameIn]]
  if (scalesOut === undefined || scalesIn === undefined) return undefined
  const [a, b] = projectionNames(layers).map((name) => all[name]!) as [Tensor, Tensor]
  const rank = scalesIn.size
  return { scalesOut, scalesIn, down: slice(a, [0, 0], [rank, inputs]), up: slice(b, [0, 0], [scalesOut.size, rank]) }
}

/** The vectors at a site; undefined for other layers. */
export const vectorsAt = ({ kind, name, params }: LayerSite, layers: readonly string[], x: Tensor) =>
  kind === 'linear' ? layerVectors(params, layers, name, x.shape.at(-1)!) : undefined

/** The update of a layer's output, `λb ⊙ ((λd ⊙ (x·Aᵀ))·Bᵀ)`, `[rows, out]`. */
export const veraOutput = (x: Tensor, { scalesOut, scalesIn, down, up }: LayerVectors): Tensor =>
  mul(matMul(mul(matMul(x, down, false, true), scalesIn), up, false, true), scalesOut)

/** The update of a layer's weight, `(λb ⊙ B)·(λd ⊙ A)`, in the weight's layout. */
export function veraWeight(model: Model, layers: readonly string[], all: Params, layer: string): Tensor {
  const [, inputs] = layerSize(model, all, layer)
  const { scalesOut, scalesIn, down, up } = layerVectors(all, layers, layer, inputs)!
  const column = (vector: Tensor): Tensor => reshape(vector, [-1, 1])
  const update = matMul(mul(up, column(scalesOut)), mul(down, column(scalesIn)))
  return model.inputFirst === true ? transpose(update) : update
}
