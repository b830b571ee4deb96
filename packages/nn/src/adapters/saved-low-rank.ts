import {
  AttuneError,
  type Engine,
  type Key,
  type Model,
  type Params,
  type SavedAdapter,
  excerpt,
  shortened,
} from '@attune/core'
import { z } from 'zod'
import { type Factors, downOf, factorShapes, initialFactors, layerSize, upOf } from './low-rank.js'
import { fromPeft, malformedAdapter, requireShapes } from './peft-layout.js'
import { type Pattern, readLowRankConfig } from './peft-lora-config.js'
import { linearLayers, targetLayers, targetsOption } from './target-layers.js'

/** Requires that an option, if set, equals the saved value. @throws AttuneError `BAD_OPTIONS` */
export function requireSame(adapter: string, name: string, given: unknown, standard: unknown, saved: unknown): void {
  if (String(given) === String(standard) || String(given) === String(saved)) return
  throw new AttuneError(
    'BAD_OPTIONS',
    `adapter ${adapter}: expected \`${name}\` as in the saved adapter, ${excerpt(saved)}, got ${excerpt(given)}`,
    `Omit \`${name}\`: it is taken from the saved adapter.`,
  )
}

/** Options of every low-rank adapter. */
export const lowRankOptions = {
  rank: z.int().min(1).max(4096).default(8).describe('Rank of the update matrices'),
  alpha: z
    .number()
    .positive()
    .max(100_000)
    .default(16)
    .describe('Scale of the update, which is multiplied by alpha / rank'),
  dropout: z.number().min(0).lt(1).default(0).describe('Dropout probability on the input of the update'),
  targets: targetsOption,
}
export type LowRankOptions = z.output<z.ZodObject<typeof lowRankOptions>>
const standard: LowRankOptions = z.strictObject(lowRankOptions).parse({})

/** A low-rank adapter: its name for errors, its options, and the model that it adapts. */
export interface LowRankInput {
  readonly adapter: string
  readonly options: LowRankOptions
  readonly model: Model
  readonly params: Params
  /** True if a new update is multiplied by alpha / √rank (rsLoRA). Default: false. */
  readonly stabilized?: boolean
  /** The methods whose saved adapters it reads: `lora`, `rslora`, `dora`, `pissa`. Default: the adapter's own. */
  readonly reads?: readonly string[]
  /** Returns the shapes of a saved layer's tensors other than its factors, by name. Default: none. */
  readonly extra?: (
    layer: string,
    size: readonly [outputs: number, inputs: number],
  ) => Record<string, readonly number[]>
  /** Factors in a saved file for each one of rank `rank`. Default: 1. */
  readonly copies?: number
}

/** The values of a pattern by full name. As in peft, the first key that a name equals or ends in applies. */
function byLayer(layers: readonly string[], pattern: Pattern): Readonly<Record<string, number>> {
  const order = new Map(Object.keys(pattern).map((key, index) => [key, index]))
  const entries = layers.flatMap((layer): [string, number][] => {
    const parts = layer.split('.')
    const keys = parts.map((_, start) => parts.slice(start).join('.')).filter((key) => order.has(key))
    const [first] = keys.sort((a, b) => order.get(a)! - order.get(b)!)
    return first === undefined ? [] : [[layer, pattern[first]!]]
  })
  return Object.fromEntries(entries)
}

/** The target layers with the rank and alpha of the options. @throws AttuneError `UNKNOWN_TARGET` */
export const newFactors = ({ adapter, options, model, params, stabilized = false }: LowRankInput): Factors => ({
  layers: targetLayers(adapter, model, params, options.targets),
  rank: options.rank,
  alpha: options.alpha,
  stabilized,
})

/** Shapes of the tensors of all layers by name. */
function tensorShapes({ model, params, extra = () => ({}) }: LowRankInput, factors: Factors) {
  const others = factors.layers.map((layer) => extra(layer, layerSize(model, params, layer)))
  return Object.assign({ ...factorShapes(factors, model, params) }, ...others) as Record<string, readonly number[]>
}

/**
 * The layers that a saved adapter adapts, and its tensors under the model's own names. Its values replace options with their defaults.
 * @throws AttuneError `BAD_ADAPTER`, `BAD_OPTIONS`
 */
export function readLowRank(
  input: LowRankInput,
  { config, tensors }: SavedAdapter,
): { readonly factors: Factors; readonly tensors: Params } {
  const { adapter, options, model, params, copies = 1 } = input
  const { ranks, alphas, ...shared } = readLowRankConfig(config, input.reads ?? [adapter])
  requireSame(adapter, 'rank', options.rank, standard.rank, shared.rank / copies)
  requireSame(
    adapter,
    'alpha',
    options.alpha,
    standard.alpha,
    shared.alpha / (shared.stabilized ? Math.sqrt(copies) : copies),
  )
  const linear = linearLayers(model, params)
  const whole = { ...shared, layers: linear }
  const known = new Set([...Object.keys(params), ...Object.keys(tensorShapes(input, whole))])
  const own = fromPeft(tensors, model, (name) => known.has(name))
  const layers = linear.filter((layer) => own[downOf(layer)] !== undefined || own[upOf(layer)] !== undefined)
  if (layers.length === 0) throw malformedAdapter('has no factors lora_A and lora_B')
  if (options.targets !== standard.targets)
    requireSame(adapter, 'targets', targetLayers(adapter, model, params, options.targets), layers, layers)
  const factors = { ...shared, layers, ranks: byLayer(layers, ranks), alphas: byLayer(layers, alphas) }
  const expected = tensorShapes(input, factors)
  const rest = Object.keys(own).filter((name) => !Object.hasOwn(expected, name))
  const orphan = rest.find((name) => !Object.hasOwn(params, name))
  if (orphan !== undefined) throw malformedAdapter(`has ${shortened(orphan)}, but no factors of that layer`)
  requireShapes(own, { ...expected, ...Object.fromEntries(rest.map((name) => [name, params[name]!.shape])) })
  return { factors, tensors: own }
}

/**
 * New factors for the target layers, or those of a saved adapter with the heads that it trained. An option with its default value is
 * taken from the saved adapter.
 * @throws AttuneError `UNKNOWN_TARGET`, `BAD_ADAPTER`, `BAD_OPTIONS`
 */
export function initialLowRank(
  input: LowRankInput,
  { engine, randomness }: { readonly engine: Engine; readonly randomness: Key },
  saved: SavedAdapter | undefined,
): { readonly factors: Factors; readonly tensors: Params } {
  if (saved !== undefined) return readLowRank(input, saved)
  const { model, params } = input
  const factors = newFactors(input)
  return { factors, tensors: engine.put(initialFactors(factors, model, params, randomness)) as Params }
}
