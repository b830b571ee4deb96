import { AttuneError, type Engine, type Model, type Params, type SavedAdapter, excerpt } from '@attune/core'
import {
  feedforwardOutputs,
  keysAndValues,
  layerSize,
  linearLayers,
  listedLayers,
  malformedAdapter,
  savedTensors,
  targetLayers,
} from '@attune/nn'
import { mul, reshape, transpose } from '@tensorflow/tfjs-core'

const SCALE = '.ia3_l'
/** Name of the vector of a layer: `[out, 1]` if it scales the output, `[1, in]` if it scales the input. */
export const scaleOf = (layer: string): string => layer + SCALE

interface Options {
  readonly targets: 'keys-values' | readonly string[]
  readonly feedforward: 'second-layer' | readonly string[]
}

/** Names of the layers whose outputs, and of those whose inputs are scaled. */
interface ScaledLayers {
  readonly outputs: readonly string[]
  readonly inputs: readonly string[]
}

interface Subject {
  readonly options: Options
  readonly model: Model
  readonly params: Params
}

/** The layers that the options select. @throws AttuneError `UNKNOWN_TARGET`, `BAD_OPTIONS` */
function chosenLayers({ options: { targets, feedforward }, model, params }: Subject): ScaledLayers {
  const layers = linearLayers(model, params)
  const ending = (names: readonly string[]): string[] =>
    names.length === 0 ? [] : targetLayers('ia3', model, params, names)
  const outputs = typeof targets === 'string' ? keysAndValues(layers) : ending(targets)
  const inputs = typeof feedforward === 'string' ? feedforwardOutputs(layers) : ending(feedforward)
  const both = outputs.find((layer) => inputs.includes(layer))
  if (both !== undefined)
    throw new AttuneError(
      'BAD_OPTIONS',
      `adapter ia3: expected each layer in \`targets\` or in \`feedforward\`, got ${both} in both`,
      'Remove it from one of them.',
    )
  if (outputs.length + inputs.length > 0) return { outputs, inputs }
  throw new AttuneError(
    'UNKNOWN_TARGET',
    'adapter ia3: expected linear layers to scale, got none that `targets` and `feedforward` select',
    `List layers by name: ${layers.slice(0, 8).join(', ') || 'the model has none, so use another adapter'}.`,
  )
}

const shapesOf = ({ outputs, inputs }: ScaledLayers, model: Model, params: Params) =>
  Object.fromEntries([
    ...outputs.map((layer): [string, [number, number]] => [scaleOf(layer), [layerSize(model, params, layer)[0], 1]]),
    ...inputs.map((layer): [string, [number, number]] => [scaleOf(layer), [1, layerSize(model, params, layer)[1]]]),
  ])

/** Requires that options that are set select the layers of the saved adapter. @throws AttuneError `BAD_OPTIONS` */
function requireSame(subject: Subject, saved: ScaledLayers): void {
  const { targets, feedforward } = subject.options
  if (targets === 'keys-values' && feedforward === 'second-layer') return
  const chosen = chosenLayers(subject)
  const differs = (['outputs', 'inputs'] as const).find((part) => String(chosen[part]) !== String(saved[part]))
  if (differs === undefined) return
  throw new AttuneError(
    'BAD_OPTIONS',
    `adapter ia3: expected \`targets\` and \`feedforward\` as in the saved adapter, whose scaled ${differs} are ${excerpt(saved[differs])}, got ${excerpt(chosen[differs])}`,
    'Omit both: they are taken from the saved adapter.',
  )
}

/** The vectors of a saved adapter and its heads. A vector of shape `[1, in]` scales the input of its layer, as in peft. */
function readSaved(subject: Subject, saved: SavedAdapter): ScaledLayers & { readonly tensors: Params } {
  const { model, params } = subject
  const linear = linearLayers(model, params)
  const known = new Set(linear.map(scaleOf))
  const split = (found: Params): ScaledLayers => {
    const layers = linear.filter((layer) => found[scaleOf(layer)] !== undefined)
    if (layers.length === 0) throw malformedAdapter('has no vectors ia3_l')
    const isInput = (layer: string): boolean => found[scaleOf(layer)]!.shape[0] === 1
    return { outputs: layers.filter((layer) => !isInput(layer)), inputs: layers.filter(isInput) }
  }
  const tensors = savedTensors(subject, saved, {
    type: 'IA3',
    isOwn: (name) => known.has(name),
    shapes: (found) => {
      const { outputs, inputs } = split(found)
      const absent = listedLayers(saved, linear).filter((layer) => found[scaleOf(layer)] === undefined)
      return shapesOf({ outputs: [...outputs, ...absent], inputs }, model, params)
    },
  })
  const layers = split(tensors)
  requireSame(subject, layers)
  return { ...layers, tensors }
}

/** New vectors of ones, or those of a saved adapter. @throws AttuneError `UNKNOWN_TARGET`, `BAD_OPTIONS`, `BAD_ADAPTER` */
export function initialScales(
  subject: Subject,
  engine: Engine,
  saved: SavedAdapter | undefined,
): ScaledLayers & { readonly tensors: Params } {
  if (saved !== undefined) return readSaved(subject, saved)
  const layers = chosenLayers(subject)
  const ones = Object.entries(shapesOf(layers, subject.model, subject.params)).map(([name, shape]) => [
    name,
    { shape, dtype: 'float32' as const, values: new Float32Array(shape[0] * shape[1]).fill(1) },
  ])
  return { ...layers, tensors: engine.put(Object.fromEntries(ones)) as Params }
}

/** The scaled weights, and the scaled biases of layers whose output is scaled, by name. */
export function mergedScales({ outputs, inputs }: ScaledLayers, { inputFirst }: Model, all: Params): Params {
  const weight = (layer: string): [string, Params[string]] => {
    const scale = all[scaleOf(layer)]!
    return [`${layer}.weight`, mul(all[`${layer}.weight`]!, inputFirst === true ? transpose(scale) : scale)]
  }
  const biases = outputs.filter((layer) => all[`${layer}.bias`] !== undefined)
  return Object.fromEntries([
    ...[...outputs, ...inputs].map(weight),
    ...biases.map((layer) => [`${layer}.bias`, mul(all[`${layer}.bias`]!, reshape(all[scaleOf(layer)]!, [-1]))]),
  ])
}
