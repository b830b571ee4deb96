import { type Model, type Params, type SavedAdapter, excerpt, shortened } from '@attune/core'
import { z } from 'zod'
import type { Tensor } from '@tensorflow/tfjs-core'
import { malformedAdapter, modulesToSave, requireShapes } from './peft-layout.js'
import { isOwn, isTokenTable } from './train-only.js'

/** Name of the vectors of virtual tokens, in the parameters and in peft's file. */
export const PROMPT = 'prompt_embeddings'

/** Prefix of the names of heads in the file; that of the names of other adapters ends in `model.`. */
const PREFIX = 'base_model.'

/** The option `tokens` of adapters with virtual tokens. */
export const tokensOption = z.int().min(1).max(10_000).default(20).describe('Number of virtual tokens')

/** Content of `adapter_config.json` of every prompt. peft takes the sizes from its model. */
export const promptConfig = (model: Model, count: number, heads: readonly string[]) => ({
  task_type: heads.length === 0 && model.cache !== undefined ? 'CAUSAL_LM' : null,
  inference_mode: true,
  num_virtual_tokens: count,
  num_transformer_submodules: 1,
  token_dim: null,
  num_layers: null,
  num_attention_heads: null,
  modules_to_save: heads.length === 0 ? null : modulesToSave(heads),
})

/** Tensors of a prompt and of trained heads under their names in peft's file. */
export const promptToPeft = (vectors: Tensor, trained: Params, heads: readonly string[]): Params => ({
  [PROMPT]: vectors,
  ...Object.fromEntries(heads.map((name) => [PREFIX + name, trained[name]!])),
})

const configSchema = z.object({
  num_virtual_tokens: z.int().min(1).max(10_000),
  num_transformer_submodules: z.literal(1).nullish(),
})

/**
 * Number of virtual tokens of a saved adapter.
 * @param type its expected `peft_type`
 * @throws AttuneError `BAD_ADAPTER`
 */
export function savedTokens(config: SavedAdapter['config'], type: string): number {
  if (config['peft_type'] !== type)
    throw malformedAdapter(`is of peft_type ${excerpt(config['peft_type'])}, expected ${type}`, 'Use its own adapter.')
  const parsed = configSchema.safeParse(config)
  if (parsed.success) return parsed.data.num_virtual_tokens
  const [issue] = parsed.error.issues
  throw malformedAdapter(`has an invalid ${String(issue?.path[0])} in its adapter_config.json: ${issue?.message}`)
}

/**
 * Tensors of a saved prompt under the model's own names: the vectors `[tokens, width]`, and heads that trained with them.
 * @throws AttuneError `BAD_ADAPTER` for an unknown, missing or misshapen tensor
 */
export function readPrompt(model: Model, params: Params, { tensors }: SavedAdapter, shape: readonly number[]): Params {
  const isHead = (name: string): boolean =>
    Object.hasOwn(params, name) && !isOwn(model, name) && !isTokenTable(model, params, name)
  const named = Object.entries(tensors).map(([name, tensor]): [string, Tensor] => {
    const plain = name.replace(/^base_model\.(model\.)?/, '')
    if (name === PROMPT || (name.startsWith(PREFIX) && isHead(plain))) return [plain, tensor]
    throw malformedAdapter(
      `has a tensor that neither the model nor the adapter reads: ${excerpt(shortened(name))}`,
      'Load an adapter of the same method, trained on a model of the same architecture.',
    )
  })
  const own = Object.fromEntries(named)
  const heads = Object.keys(params).filter(isHead)
  requireShapes(own, { [PROMPT]: shape, ...Object.fromEntries(heads.map((name) => [name, params[name]!.shape])) })
  return own
}
