import {
  AttuneError,
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
  attentionOutputs,
  feedforwardOutputs,
  layerSize,
  linearLayers,
  malformedAdapter,
  requireSame,
  savedTensors,
  targetLayers,
} from '@attune/nn'
import { z } from 'zod'

/** Names of the down-projection and of the up-projection after a layer, as AdapterHub names them. */
export const downOf = (layer: string): string => `${layer}.adapter_down`
export const upOf = (layer: string): string => `${layer}.adapter_up`

/** Standard deviation of the initial weights, which are truncated to two deviations. */
const DEVIATION = 0.01

const settingsSchema = z.object({
  size: z.int().min(1).max(65_536),
  activation: z.enum(['gelu', 'relu', 'silu', 'tanh']),
})
const DEFAULTS = { size: 64, activation: 'gelu', placement: 'both' } as const

/** Settings of the networks; those of a saved adapter take precedence. */
interface Settings extends z.output<typeof settingsSchema> {
  readonly placement: 'both' | 'feed-forward' | readonly string[]
}

interface Subject {
  readonly options: Settings
  readonly model: Model
  readonly params: Params
}

/** The adapted layers, their networks' settings and tensors. */
interface Bottlenecks extends z.output<typeof settingsSchema> {
  readonly layers: readonly string[]
  readonly tensors: Params
}

/** The layers that the option `placement` selects, in the model's order. @throws AttuneError `UNKNOWN_TARGET` */
function chosenLayers({ options: { placement }, model, params }: Subject): string[] {
  if (typeof placement !== 'string') return targetLayers('bottleneck', model, params, placement)
  const layers = linearLayers(model, params)
  const found = {
    'self-attention': placement === 'both' ? attentionOutputs(layers) : undefined,
    'feed-forward': feedforwardOutputs(layers),
  }
  const lacking = Object.entries(found).find(([, names]) => names?.length === 0)
  const chosen = new Set(Object.values(found).flatMap((names) => names ?? []))
  if (lacking === undefined) return layers.filter((layer) => chosen.has(layer))
  throw new AttuneError(
    'UNKNOWN_TARGET',
    `adapter bottleneck: \`placement\` is ${placement}, but the model has no output projections of ${lacking[0]} blocks with a known name`,
    `List layers by name in \`placement\`: ${layers.slice(0, 8).join(', ') || 'the model has none, so use another adapter'}.`,
  )
}

const shapesOf = (layers: readonly string[], size: number, model: Model, params: Params) =>
  Object.fromEntries(
    layers.flatMap((layer): [string, readonly number[]][] => {
      const [outputs] = layerSize(model, params, layer)
      return [
        [`${downOf(layer)}.weight`, [size, outputs]],
        [`${downOf(layer)}.bias`, [size]],
        [`${upOf(layer)}.weight`, [outputs, size]],
        [`${upOf(layer)}.bias`, [outputs]],
      ]
    }),
  )

/** New tensors: weights from a truncated normal distribution, biases zero. */
const initialTensors = (shapes: Readonly<Record<string, readonly number[]>>, key: Key) =>
  Object.fromEntries(
    Object.entries(shapes).map(([name, shape]): [string, HostArray] => {
      const normal = normals(stream(deriveKey(key, name)))
      const truncated = (): number => {
        const value = normal()
        return Math.abs(value) <= 2 ? DEVIATION * value : truncated()
      }
      const length = shape.reduce((product, n) => product * n, 1)
      const values = name.endsWith('.bias') ? new Float32Array(length) : Float32Array.from({ length }, truncated)
      return [name, { shape, dtype: 'float32', values }]
    }),
  )

/** Settings of a saved adapter. @throws AttuneError `BAD_ADAPTER`; `BAD_OPTIONS` for options that differ from them */
function savedSettings({ config }: SavedAdapter, options: Settings): z.output<typeof settingsSchema> {
  const parsed = settingsSchema.safeParse(config)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw malformedAdapter(`has an invalid ${String(issue?.path[0])} in its adapter_config.json: ${issue?.message}`)
  }
  for (const name of ['size', 'activation'] as const)
    requireSame('bottleneck', name, options[name], DEFAULTS[name], parsed.data[name])
  return parsed.data
}

/** The networks of a saved adapter and its heads. @throws AttuneError `BAD_ADAPTER`, `BAD_OPTIONS` */
function readSaved(subject: Subject, saved: SavedAdapter): Bottlenecks {
  const { options, model, params } = subject
  const linear = linearLayers(model, params)
  const known = new Set(linear.flatMap((layer) => Object.keys(shapesOf([layer], 1, model, params))))
  const adaptedIn = (found: Params): string[] =>
    linear.filter((layer) => Object.keys(shapesOf([layer], 1, model, params)).some((name) => found[name] !== undefined))
  const listed = saved.config['target_modules']
  const tensors = savedTensors(subject, saved, {
    type: 'BOTTLENECK',
    isOwn: (name) => known.has(name),
    shapes(found) {
      const all = [
        ...new Set([
          ...(Array.isArray(listed) ? linear.filter((layer) => listed.includes(layer)) : []),
          ...adaptedIn(found),
        ]),
      ]
      if (all.length === 0) throw malformedAdapter('has no bottleneck networks')
      return shapesOf(all, savedSettings(saved, options).size, model, params)
    },
  })
  const layers = adaptedIn(tensors)
  if (options.placement !== DEFAULTS.placement)
    requireSame('bottleneck', 'placement', chosenLayers(subject), DEFAULTS.placement, layers)
  return { ...savedSettings(saved, options), layers, tensors }
}

/** New networks, or those of a saved adapter. @throws AttuneError `UNKNOWN_TARGET`, `BAD_OPTIONS`, `BAD_ADAPTER` */
export function initialBottlenecks(
  subject: Subject,
  { engine, randomness }: { readonly engine: Engine; readonly randomness: Key },
  saved: SavedAdapter | undefined,
): Bottlenecks {
  if (saved !== undefined) return readSaved(subject, saved)
  const { options, model, params } = subject
  const layers = chosenLayers(subject)
  const tensors = engine.put(initialTensors(shapesOf(layers, options.size, model, params), randomness)) as Params
  return { layers, size: options.size, activation: options.activation, tensors }
}
