import { AttuneError, type Model, type Params, type SavedAdapter, excerpt } from '@attune/core'
import { malformedAdapter, fromPeft, modulesToSave, requireShapes } from '@attune/nn'
import { z } from 'zod'
import { linearLayers } from './targets.js'

const [DOWN, UP] = ['.lora_A.weight', '.lora_B.weight'] as const

/** Name of the factor `A` of a layer, `[rank, in]`. */
export const downOf = (layer: string): string => layer + DOWN
/** Name of the factor `B` of a layer, `[out, rank]`. */
export const upOf = (layer: string): string => layer + UP

/** The adapted layers, and the rank and alpha of the update. */
export interface Factors {
  readonly layers: readonly string[]
  readonly rank: number
  readonly alpha: number
}

/** Shapes of the factors of all layers, by name. */
export const factorShapes = ({ layers, rank }: Factors, { inputFirst }: Model, params: Params) =>
  Object.fromEntries(
    layers.flatMap((layer): [string, readonly [number, number]][] => {
      const [first, second] = params[`${layer}.weight`]!.shape as [number, number]
      const [outputs, inputs] = inputFirst === true ? [second, first] : [first, second]
      return [
        [downOf(layer), [rank, inputs]],
        [upOf(layer), [outputs, rank]],
      ]
    }),
  )

/** Content of peft's `adapter_config.json`. Layers have their full names, so that peft matches these and no others. */
export const peftConfig = (
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
      `has ${refused}: ${excerpt(config[refused])} in its adapter_config.json, which lora does not support`,
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
function requireSame(name: string, given: unknown, standard: unknown, saved: unknown): void {
  if (String(given) === String(standard) || String(given) === String(saved)) return
  throw new AttuneError(
    'BAD_OPTIONS',
    `adapter lora: expected \`${name}\` as in the saved adapter, ${excerpt(saved)}, got ${excerpt(given)}`,
    `Omit \`${name}\`: it is taken from the saved adapter.`,
  )
}

/**
 * Reads a saved adapter: the layers that it adapts, and its tensors under the model's own names.
 * @param given the options, and the layers that their targets select
 * @param standard the defaults of the options; an option with its default value is replaced by the saved value
 * @throws AttuneError `BAD_ADAPTER`, `BAD_OPTIONS`
 */
export function readSaved(
  { config, tensors }: SavedAdapter,
  model: Model,
  params: Params,
  given: { readonly rank: number; readonly alpha: number; readonly layers: readonly string[] | undefined },
  standard: Pick<Factors, 'rank' | 'alpha'>,
): { readonly factors: Factors; readonly tensors: Params } {
  const { rank, alpha, savedAlpha } = readConfig(config)
  requireSame('rank', given.rank, standard.rank, rank)
  requireSame('alpha', given.alpha, standard.alpha, savedAlpha)
  const linear = linearLayers(model, params)
  const known = new Set([...Object.keys(params), ...linear.flatMap((layer) => [downOf(layer), upOf(layer)])])
  const own = fromPeft(tensors, model, (name) => known.has(name))
  const layers = linear.filter((layer) => own[downOf(layer)] !== undefined || own[upOf(layer)] !== undefined)
  if (layers.length === 0) throw malformedAdapter('has no factors lora_A and lora_B')
  if (given.layers !== undefined) requireSame('targets', given.layers, layers, layers)
  const factors = { layers, rank, alpha }
  const heads = Object.keys(own).filter((name) => Object.hasOwn(params, name))
  const shapes = Object.fromEntries(heads.map((name) => [name, params[name]!.shape]))
  requireShapes(own, { ...factorShapes(factors, model, params), ...shapes })
  return { factors, tensors: own }
}
