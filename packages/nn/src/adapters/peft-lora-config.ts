import { type SavedAdapter, excerpt } from '@attune/core'
import { z } from 'zod'
import type { Factors } from './low-rank.js'
import { malformedAdapter, modulesToSave } from './peft-layout.js'

/** Content of peft's `adapter_config.json`. Layers have their full names, so that peft matches these and no others. */
export const lowRankConfig = (
  { layers, rank, alpha, stabilized = false, ranks = {}, alphas = {} }: Factors,
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
  use_rslora: stabilized,
  use_dora: false,
  rank_pattern: ranks,
  alpha_pattern: alphas,
  init_lora_weights: true,
})

const rankSchema = z.int().min(1).max(4096)
const alphaSchema = z.number().positive().max(1e6)
const configSchema = z.object({
  r: rankSchema,
  lora_alpha: alphaSchema,
  use_rslora: z.boolean().nullish(),
  rank_pattern: z.record(z.string(), rankSchema).nullish(),
  alpha_pattern: z.record(z.string(), alphaSchema).nullish(),
})

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== false
const isFilled = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0

/** True for a peft option that changes the function or the base weights and that no adapter supports. */
function isUnsupported(name: string, value: unknown): boolean {
  if (/^(use_qalora|use_bdlora|lora_bias|alora_invocation_tokens)$/.test(name)) return isSet(value)
  if (/^(layer_replication|(kasa|arrow|monteclora)_config)$/.test(name)) return isFilled(value)
  if (name === 'bias') return isSet(value) && value !== 'none'
  return name === 'init_lora_weights' && /^(olora|corda|loftq|lora_ga)/i.test(String(value))
}

/** Options of peft's LoRA that belong to an adapter of their own: the option, its adapter, and the values that mean it. */
const VARIANTS: readonly (readonly [option: string, adapter: string, is: (value: unknown) => boolean])[] = [
  ['use_dora', 'dora', isSet],
  ['init_lora_weights', 'pissa', (value) => /^pissa/i.test(String(value))],
  ['use_rslora', 'rslora', isSet],
]

/**
 * Requires that the configuration is of a method that the adapter reads.
 * @param reads names of the methods: `lora`, `rslora`, `dora`, `pissa`
 */
function requireMethod(config: SavedAdapter['config'], reads: readonly string[]): void {
  if (config['peft_type'] !== 'LORA')
    throw malformedAdapter(`is of peft_type ${excerpt(config['peft_type'])}, expected LORA`, 'Use its own adapter.')
  const refuse = (option: string, remedy: string) =>
    malformedAdapter(
      `has ${option}: ${excerpt(config[option])} in its adapter_config.json, which this adapter does not support`,
      remedy,
    )
  const [option, method] = VARIANTS.find(([name, , is]) => is(config[name])) ?? ['use_rslora', 'lora']
  if (!reads.includes(method)) throw refuse(option, `Use \`adapter: { use: ${method}, from: FOLDER }\`.`)
  const refused = Object.keys(config).find((name) => isUnsupported(name, config[name]))
  if (refused !== undefined)
    throw refuse(
      refused,
      'Merge it into its model with peft (merge_and_unload) and start from the result: `model: { use: …, from: FOLDER }`.',
    )
}

/** Values of layers from a saved configuration, by names of layers or the ends of such names. */
export type Pattern = Readonly<Record<string, number>>

/** A pattern whose keys are names. @throws AttuneError `BAD_ADAPTER` for regular expressions, which peft also accepts */
function readPattern(option: string, pattern: Pattern | null | undefined): Pattern {
  const expression = Object.keys(pattern ?? {}).find((name) => !/^[\w.-]+$/.test(name))
  if (expression === undefined) return pattern ?? {}
  throw malformedAdapter(
    `has a regular expression in ${option} of its adapter_config.json: ${excerpt(expression)}`,
    'List the layers by name, without regular expressions.',
  )
}

/**
 * Rank, alpha and scaling of a saved configuration of peft's LoRA.
 * @param reads names of the methods that the adapter reads
 * @throws AttuneError `BAD_ADAPTER`
 */
export function readLowRankConfig(config: SavedAdapter['config'], reads: readonly string[]) {
  requireMethod(config, reads)
  const parsed = configSchema.safeParse(config)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw malformedAdapter(`has an invalid ${issue?.path.join('.')} in its adapter_config.json: ${issue?.message}`)
  }
  const { r: rank, lora_alpha: alpha, use_rslora: stabilized, rank_pattern: ranks, alpha_pattern: alphas } = parsed.data
  return {
    rank,
    alpha,
    stabilized: stabilized === true,
    ranks: readPattern('rank_pattern', ranks),
    alphas: readPattern('alpha_pattern', alphas),
  }
}
