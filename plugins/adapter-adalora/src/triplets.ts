import {
  type Engine,
  type HostArray,
  type Key,
  type Model,
  type Params,
  type SavedAdapter,
  deriveKey,
  normals,
  stream,
} from '@attune/core'
import {
  type Targets,
  layerSize,
  linearLayers,
  listedLayers,
  malformedAdapter,
  requireSame,
  savedTensors,
  targetLayers,
  tripletName,
  tripletOf,
} from '@attune/nn'
import { type Tensor, matMul, mul } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Standard deviation of the initial vectors. */
const DEVIATION = 0.02

/** The update of a layer's weight, `scale · B·(E ⊙ A)`, in the weight's layout. */
export function tripletWeight({ inputFirst }: Model, all: Params, layer: string, scale: number): Tensor {
  const { a, e, b } = tripletOf(all, layer)
  const right = mul(a, e)
  return mul(inputFirst === true ? matMul(right, b, true, true) : matMul(b, right), scale)
}

interface Subject {
  readonly options: { readonly initialRank: number; readonly alpha: number; readonly targets: Targets }
  readonly model: Model
  readonly params: Params
}

/** The adapted layers, the rank and alpha that determine the scale, and the factors. */
interface Triplets {
  readonly layers: readonly string[]
  readonly rank: number
  readonly alpha: number
  readonly tensors: Params
}

const shapesOf = (
  layer: string,
  rank: number,
  model: Model,
  params: Params,
): Record<string, readonly [number, number]> => {
  const [outputs, inputs] = layerSize(model, params, layer)
  return {
    [tripletName(layer, 'A')]: [rank, inputs],
    [tripletName(layer, 'E')]: [rank, 1],
    [tripletName(layer, 'B')]: [outputs, rank],
  }
}

const allShapes = (layers: readonly string[], rank: (layer: string) => number, model: Model, params: Params) =>
  Object.assign({}, ...layers.map((layer) => shapesOf(layer, rank(layer), model, params))) as Record<
    string,
    readonly [number, number]
  >

const configSchema = z.object({
  init_r: z.int().min(1).max(4096),
  lora_alpha: z.number().positive().max(1e6),
})

function savedSettings({ config }: SavedAdapter): { readonly rank: number; readonly alpha: number } {
  const parsed = configSchema.safeParse(config)
  if (parsed.success) return { rank: parsed.data.init_r, alpha: parsed.data.lora_alpha }
  const [issue] = parsed.error.issues
  throw malformedAdapter(`has an invalid ${String(issue?.path[0])} in its adapter_config.json: ${issue?.message}`)
}

/** The factors of a saved adapter, of the ranks that were allocated, and its heads. @throws AttuneError `BAD_ADAPTER`, `BAD_OPTIONS` */
function readSaved(subject: Subject, saved: SavedAdapter): Triplets {
  const { options, model, params } = subject
  const linear = linearLayers(model, params)
  const known = new Set(Object.keys(allShapes(linear, () => 1, model, params)))
  const adaptedIn = (found: Params): string[] =>
    linear.filter((layer) => (['A', 'E', 'B'] as const).some((part) => found[tripletName(layer, part)] !== undefined))
  const tensors = savedTensors(subject, saved, {
    type: 'ADALORA',
    isOwn: (name) => known.has(name),
    shapes(found) {
      const layers = [...new Set([...listedLayers(saved, linear), ...adaptedIn(found)])]
      if (layers.length === 0) throw malformedAdapter('has no factors lora_A, lora_E and lora_B')
      const { rank } = savedSettings(saved)
      const rankIn = (layer: string): number => {
        const own = found[tripletName(layer, 'E')]?.shape[0] ?? rank
        return own >= 1 && own <= rank ? own : rank
      }
      return allShapes(layers, rankIn, model, params)
    },
  })
  const [layers, settings] = [adaptedIn(tensors), savedSettings(saved)]
  requireSame('adalora', 'initialRank', options.initialRank, 12, settings.rank)
  requireSame('adalora', 'alpha', options.alpha, 16, settings.alpha)
  if (options.targets !== 'attention')
    requireSame('adalora', 'targets', targetLayers('adalora', model, params, options.targets), layers, layers)
  return { ...settings, layers, tensors }
}

/**
 * New factors: vectors from a normal distribution of deviation 0.02, as in peft, and singular values 0; or those of a saved adapter.
 * @throws AttuneError `UNKNOWN_TARGET`, `BAD_OPTIONS`, `BAD_ADAPTER`
 */
export function initialTriplets(
  subject: Subject,
  { engine, randomness }: { readonly engine: Engine; readonly randomness: Key },
  saved: SavedAdapter | undefined,
): Triplets {
  if (saved !== undefined) return readSaved(subject, saved)
  const { options, model, params } = subject
  const layers = targetLayers('adalora', model, params, options.targets)
  const entries = Object.entries(allShapes(layers, () => options.initialRank, model, params)).map(
    ([name, shape]): [string, HostArray] => {
      const next = normals(stream(deriveKey(randomness, name)))
      const length = shape[0] * shape[1]
      const values = name.endsWith('E')
        ? new Float32Array(length)
        : Float32Array.from({ length }, () => DEVIATION * next())
      return [name, { shape, dtype: 'float32', values }]
    },
  )
  return {
    layers,
    rank: options.initialRank,
    alpha: options.alpha,
    tensors: engine.put(Object.fromEntries(entries)) as Params,
  }
}
