import { AttuneError, excerpt, isRecord, shortened } from '@attune/core'
import { type PoolingMode, poolingModes } from '../heads/pooling.js'
import { z } from 'zod'

/** JSON files of a saved sentence-transformers model, content by path. */
export type SentenceFiles = Readonly<Record<string, unknown>>

/** A module after pooling, with the path of its folder. */
export type SentenceModule =
  | { readonly type: 'Normalize'; readonly path: string }
  | { readonly type: 'LayerNorm'; readonly path: string; readonly dimension: number }
  | {
      readonly type: 'Dense'
      readonly path: string
      readonly inFeatures: number
      readonly outFeatures: number
      readonly bias: boolean
      /** Name of the activation function, as in `config.json`. */
      readonly activation: string
      /** True if the input is added to the output. */
      readonly residual: boolean
    }

/** Entry of `modules.json`. */
export interface ListedModule {
  readonly idx: number
  readonly name: string
  readonly path: string
  readonly type: string
}

const MAXIMUM_WIDTH = 2 ** 20
const EMBEDDING = 'sentence_embedding'

/** @throws AttuneError `UNSUPPORTED_MODULE` */
export function refuseModule(where: string, expected: string, got: unknown): never {
  throw new AttuneError(
    'UNSUPPORTED_MODULE',
    `${shortened(where, 120)}: expected ${expected}, got ${excerpt(got)}`,
    'Use this model with the sentence-transformers library, or a model whose modules Attune supports: Transformer, Pooling, Dense, LayerNorm, Normalize.',
  )
}

/** Parses the configuration of a module. @throws AttuneError `BAD_MODEL_FOLDER` */
export function parsed<S extends z.ZodType>(schema: S, content: unknown, where: string): z.output<S> {
  const result = schema.safeParse(content)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]!
  throw new AttuneError(
    'BAD_MODEL_FOLDER',
    `${shortened(where, 120)} cannot be used: ${[path.map(String).join('.'), message].filter((part) => part !== '').join(': ')}`,
    'Download the model again, or save it again with sentence-transformers.',
  )
}

const listSchema = z
  .array(
    z.looseObject({
      idx: z.int().optional(),
      name: z.string().optional(),
      path: z.string().regex(/^(\d+_\w{1,80})?$/, 'expected the path of a module, such as 1_Pooling'),
      type: z.string(),
    }),
  )
  .min(1)
  .max(32)

/** Entries of `modules.json`. @throws AttuneError `BAD_MODEL_FOLDER` */
export function listedModules(files: SentenceFiles): readonly ListedModule[] {
  const all = parsed(listSchema, files['modules.json'], 'modules.json')
  const paths = new Set(all.map(({ path }) => path))
  if (paths.size === all.length) return all.map((each, i) => ({ ...each, idx: i, name: each.name ?? String(i) }))
  throw new AttuneError(
    'BAD_MODEL_FOLDER',
    'modules.json cannot be used: two modules have the same path',
    'Save the model again with sentence-transformers.',
  )
}

/** Class of a module. @throws AttuneError `UNSUPPORTED_MODULE` for a class of another library */
export function classOf({ type }: ListedModule): string {
  if (!/^sentence_transformers(\.\w+)+$/.test(type))
    refuseModule('modules.json', 'a module of sentence-transformers', type)
  return type.slice(type.lastIndexOf('.') + 1)
}

/** Content of `PATH/config.json`; empty if there is none. */
export const configOf = (files: SentenceFiles, path: string): unknown => {
  const name = `${path}/config.json`
  return Object.hasOwn(files, name) ? files[name] : {}
}

const modesSchema = z.looseObject({
  pooling_mode: z.union([z.string(), z.array(z.string()).min(1).max(6)]).optional(),
  include_prompt: z.boolean().default(true),
})

/** Names of the pooling modes before version 5.4; several are concatenated in the order of {@link poolingModes}. */
export const LEGACY_KEYS = {
  cls: 'pooling_mode_cls_token',
  max: 'pooling_mode_max_tokens',
  mean: 'pooling_mode_mean_tokens',
  mean_sqrt_len_tokens: 'pooling_mode_mean_sqrt_len_tokens',
  weightedmean: 'pooling_mode_weightedmean_tokens',
  lasttoken: 'pooling_mode_lasttoken',
} as const satisfies Readonly<Record<PoolingMode, string>>

/** Settings of a Pooling module. */
export interface PoolingSettings {
  /** Modes whose results are concatenated. */
  readonly modes: readonly PoolingMode[]
  /** False if the tokens of the prompt are not pooled. */
  readonly includePrompt: boolean
}

/** Reads the configuration of a Pooling module. @throws AttuneError `UNSUPPORTED_MODULE`, `BAD_MODEL_FOLDER` */
export function poolingSettings(content: unknown, where: string): PoolingSettings {
  const { pooling_mode: named, include_prompt: includePrompt, ...flags } = parsed(modesSchema, content, where)
  const on = poolingModes.filter((mode) => flags[LEGACY_KEYS[mode]] === true)
  const modes = named === undefined ? (on.length > 0 ? on : ['mean']) : [named].flat()
  const unknown = modes.find((mode) => !(poolingModes as readonly string[]).includes(mode))
  if (unknown !== undefined) refuseModule(where, `a pooling mode (${poolingModes.join(', ')})`, unknown)
  return { modes: modes as PoolingMode[], includePrompt }
}

/** Activations of a Dense module by their class in PyTorch. */
const ACTIVATIONS: ReadonlyMap<string, string> = new Map(
  Object.entries({ Tanh: 'tanh', Identity: 'linear', ReLU: 'relu', GELU: 'gelu', Sigmoid: 'sigmoid', SiLU: 'silu' }),
)

const between = {
  module_input_name: z.string().nullish(),
  module_output_name: z.string().nullish(),
}
const denseSchema = z.looseObject({
  ...between,
  in_features: z.int().min(1).max(MAXIMUM_WIDTH),
  out_features: z.int().min(1).max(MAXIMUM_WIDTH),
  bias: z.boolean().default(true),
  activation_function: z.string().default('torch.nn.modules.activation.Tanh'),
  use_residual: z.boolean().default(false),
})
const normalizeSchema = z.looseObject(between)
const layerNormSchema = z.looseObject({ dimension: z.int().min(1).max(MAXIMUM_WIDTH) })

/** Refuses modules of single tokens. */
function requireEmbedding(config: z.output<typeof normalizeSchema>, where: string): void {
  for (const name of [config.module_input_name, config.module_output_name])
    if (name != null && name !== EMBEDDING) refuseModule(where, `a module of the ${EMBEDDING}`, name)
}

/** Reads a module after pooling. @throws AttuneError `UNSUPPORTED_MODULE`, `BAD_MODEL_FOLDER` */
export function moduleAfterPooling(listed: ListedModule, files: SentenceFiles): SentenceModule {
  const [type, { path }] = [classOf(listed), listed]
  const [content, where] = [configOf(files, path), `${path}/config.json`]
  if (type === 'Normalize') {
    requireEmbedding(parsed(normalizeSchema, isRecord(content) ? content : {}, where), where)
    return { type, path }
  }
  if (type === 'LayerNorm') return { type, path, dimension: parsed(layerNormSchema, content, where).dimension }
  if (type !== 'Dense') return refuseModule('modules.json', 'Dense, LayerNorm or Normalize after pooling', type)
  const config = parsed(denseSchema, content, where)
  requireEmbedding(config, where)
  const { in_features: inFeatures, out_features: outFeatures, bias, use_residual: residual } = config
  const name = /^torch\.nn\.(?:modules\.\w+\.)?(\w+)$/.exec(config.activation_function)?.[1]
  const activation = ACTIVATIONS.get(name ?? '')
  if (activation === undefined)
    return refuseModule(where, `an activation (${[...ACTIVATIONS.keys()].join(', ')})`, config.activation_function)
  return { type, path, inFeatures, outFeatures, bias, activation, residual }
}
