import { AttuneError, type Engine, type Key, type Model, type Params, type SavedAdapter, excerpt } from '@attune/core'
import { z } from 'zod'
import { type Factors, downOf, factorShapes, initialFactors, upOf } from './low-rank.js'
import { fromPeft, malformedAdapter, modulesToSave, requireShapes } from './peft-layout.js'
import { linearLayers, targetLayers, targetsOption } from './target-layers.js'

/** Content of peft's `adapter_config.json`. Layers have their full names, so that peft matches these and no others. */
export const lowRankConfig = (
  { layers, rank, alpha }: Factors,
  { dropout, heads, inputFirst }: { dropout: number; heads: readonly string[]; inputFirst: boolean },
): Readonly<Record<string, unknown>> => ({
  peft_type: 'LORA',
  task_type: null,
  inference_mode: true,
  r: rank,
  lora_alpha: alpha,
  lora_dropout: dropout,
  target_modules: layers,
  modules_to_save: heads.length === 0 ? null : modulesToSave(heads),
  fan_in_fan_out: inputFirst,
  bias: 'none',
  use_rslora: false,
  use_dora: false,
  rank_pattern: {},
  alpha_pattern: {},
  init_lora_weights: true,
})

const configSchema = z.object({
  r: z.int().min(1).max(4096),
  lora_alpha: z.number().positive().max(1e6),
  use_rslora: z.boolean().nullish(),
})

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== false
const isFilled = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0

/** True for a peft option that changes the function or the base weights and that this adapter does not support. */
function isUnsupported(name: string, value: unknown): boolean {
  if (/^(use_dora|use_qalora|use_bdlora|lora_bias|alora_invocation_tokens)$/.test(name)) return isSet(value)
  if (/^(rank_pattern|alpha_pattern|layer_replication|(kasa|arrow|monteclora)_config)$/.test(name))
    return isFilled(value)
  if (name === 'bias') return isSet(value) && value !== 'none'
  return name === 'init_lora_weights' && /^(pissa|olora|corda|loftq|lora_ga)/i.test(String(value))
}

/** Rank and alpha of a saved configuration, with alpha such that the update is scaled by alpha / rank (also for rsLoRA). */
function readConfig(config: SavedAdapter['config']): Pick<Factors, 'rank' | 'alpha'> & { readonly savedAlpha: number } {
  if (config['peft_type'] !== 'LORA')
    throw malformedAdapter(`is of peft_type ${excerpt(config['peft_type'])}, expected LORA`, 'Use its own adapter.')
  const refused = Object.keys(config).find((name) => isUnsupported(name, config[name]))
  if (refused !== undefined)
    throw malformedAdapter(
      `has ${refused}: ${excerpt(config[refused])} in its adapter_config.json, which this adapter does not support`,
      'Merge it into its model with peft (merge_and_unload) and start from the result: `model: { use: …, from: FOLDER }`.',
    )
  const parsed = configSchema.safeParse(config)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw malformedAdapter(`has an invalid ${String(issue?.path[0])} in its adapter_config.json: ${issue?.message}`)
  }
  const { r, lora_alpha: alpha, use_rslora: stabilized } = parsed.data
  return { rank: r, alpha: stabilized === true ? alpha * Math.sqrt(r) : alpha, savedAlpha: alpha }
}

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
type LowRankOptions = z.output<z.ZodObject<typeof lowRankOptions>>
const standard: LowRankOptions = z.strictObject(lowRankOptions).parse({})

/** A low-rank adapter: its name for errors, its options, and the model that it adapts. */
interface LowRankInput {
  readonly adapter: string
  readonly options: LowRankOptions
  readonly model: Model
  readonly params: Params
}

/** The layers that a saved adapter adapts, and its tensors under the model's own names. */
function readSaved({ adapter, options, model, params }: LowRankInput, { config, tensors }: SavedAdapter) {
  const { rank, alpha, savedAlpha } = readConfig(config)
  requireSame(adapter, 'rank', options.rank, standard.rank, rank)
  requireSame(adapter, 'alpha', options.alpha, standard.alpha, savedAlpha)
  const linear = linearLayers(model, params)
  const known = new Set([...Object.keys(params), ...linear.flatMap((layer) => [downOf(layer), upOf(layer)])])
  const own = fromPeft(tensors, model, (name) => known.has(name))
  const layers = linear.filter((layer) => own[downOf(layer)] !== undefined || own[upOf(layer)] !== undefined)
  if (layers.length === 0) throw malformedAdapter('has no factors lora_A and lora_B')
  if (options.targets !== standard.targets)
    requireSame(adapter, 'targets', targetLayers(adapter, model, params, options.targets), layers, layers)
  const factors = { layers, rank, alpha }
  const heads = Object.keys(own).filter((name) => Object.hasOwn(params, name))
  const shapes = Object.fromEntries(heads.map((name) => [name, params[name]!.shape]))
  requireShapes(own, { ...factorShapes(factors, model, params), ...shapes })
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
  if (saved !== undefined) return readSaved(input, saved)
  const { adapter, options, model, params } = input
  const factors = { ...options, layers: targetLayers(adapter, model, params, options.targets) }
  return { factors, tensors: engine.put(initialFactors(factors, model, params, randomness)) as Params }
}
