import { AttuneError, type Model, isRecord } from '@attune/core'
import type { PoolingMode } from '../heads/pooling.js'
import { z } from 'zod'
import { NEW_POOLING, POOLER, defaultFiles, withModules, withPooling, withSettings } from './sentence-files.js'
import {
  type PoolingSettings,
  type SentenceFiles,
  type SentenceModule,
  classOf,
  configOf,
  listedModules,
  moduleAfterPooling,
  parsed,
  poolingSettings,
  refuseModule,
} from './sentence-modules.js'

/** Similarity functions of sentence-transformers. */
export const similarityNames = ['cosine', 'dot', 'euclidean', 'manhattan'] as const

/** A sentence-transformers model after its transformer. */
export interface SentenceModel {
  /** Undefined if the embedding is the input of the model's classification head. */
  readonly pooling: PoolingSettings | undefined
  /** Modules after pooling, in order. */
  readonly modules: readonly SentenceModule[]
  /** Maximum number of tokens. Default: that of the model. */
  readonly maximumLength: number | undefined
  /** Text in front of every text; empty if there is none. */
  readonly prompt: string
  /** Number of leading values of an embedding to return. Default: all. */
  readonly dimension: number | undefined
  readonly similarity: (typeof similarityNames)[number]
  /** Files that describe the model to sentence-transformers; undefined if it has no module for the pooling. */
  readonly files: SentenceFiles | undefined
}

/** Options that take precedence over the files. */
export interface SentenceChanges {
  readonly pooling?: PoolingMode | 'pooled' | undefined
  readonly normalize?: boolean | undefined
}

const settingsSchema = z.looseObject({
  model_type: z.string().optional(),
  prompts: z.custom<Readonly<Record<string, unknown>>>(isRecord, 'expected prompts by name').default({}),
  default_prompt_name: z.string().nullish(),
  similarity_fn_name: z.string().nullish(),
  truncate_dim: z.int().min(1).nullish(),
})

const transformerSchema = z.looseObject({
  max_seq_length: z.int().min(1).nullish(),
  transformer_task: z.string().default('feature-extraction'),
  module_output_name: z.string().default('token_embeddings'),
  modality_config: z
    .looseObject({ text: z.looseObject({ method: z.string(), method_output_name: z.string().nullable() }) })
    .optional(),
})

/** Reads `config_sentence_transformers.json`. @throws AttuneError `UNSUPPORTED_MODULE`, `BAD_MODEL_FOLDER` */
function settingsOf(files: SentenceFiles): Pick<SentenceModel, 'prompt' | 'dimension' | 'similarity'> {
  const where = 'config_sentence_transformers.json'
  const read = parsed(settingsSchema, files[where] ?? {}, where)
  const { model_type: type = 'SentenceTransformer', prompts, default_prompt_name: name, truncate_dim: dimension } = read
  if (type !== 'SentenceTransformer') refuseModule(where, 'a model of type SentenceTransformer', type)
  const prompt = name == null ? '' : Object.hasOwn(prompts, name) ? (prompts[name] ?? '') : undefined
  if (typeof prompt !== 'string')
    throw new AttuneError(
      'BAD_MODEL_FOLDER',
      `${where} cannot be used: expected a text in prompts for default_prompt_name ${JSON.stringify(name?.slice(0, 80))}`,
      'Add that prompt, or remove default_prompt_name.',
    )
  const similarity = similarityNames.find((each) => each === read.similarity_fn_name) ?? 'cosine'
  return { prompt, dimension: dimension ?? undefined, similarity }
}

/** Settings of the Transformer module. */
interface TransformerSettings {
  readonly maximumLength: number | undefined
  /** True if its output is that of the model's pooler, and not the hidden states. */
  readonly isPooled: boolean
}

/** Reads `sentence_bert_config.json`. @throws AttuneError `UNSUPPORTED_MODULE`, `BAD_MODEL_FOLDER` */
function transformerOf(files: SentenceFiles, hasPooler: boolean): TransformerSettings {
  const where = 'sentence_bert_config.json'
  const read = parsed(transformerSchema, files[where] ?? {}, where)
  const output = read.modality_config?.text.method_output_name ?? 'last_hidden_state'
  if (read.transformer_task !== 'feature-extraction')
    refuseModule(where, 'transformer_task feature-extraction', read.transformer_task)
  const isPooled = read.module_output_name === POOLER.module_output_name
  if (!isPooled && read.module_output_name !== 'token_embeddings')
    refuseModule(where, 'module_output_name token_embeddings', read.module_output_name)
  if (isPooled && !hasPooler) refuseModule(where, 'a model with a pooler', output)
  const expected = isPooled ? 'pooler_output' : 'last_hidden_state'
  if (output !== expected) refuseModule(where, `method_output_name ${expected}`, output)
  return { maximumLength: read.max_seq_length ?? undefined, isPooled }
}

/** True if transformers computes `pooled` too, by a pooler among the parameters of the encoder itself. */
const hasPooler = ({ layers, prefix }: Pick<Model, 'layers' | 'prefix'>): boolean =>
  layers.find(({ name }) => name === 'pooler')?.prefixes.every((each) => each.startsWith(prefix)) === true

/** Requires that each module fits the width of its input. @throws AttuneError `BAD_MODEL_FOLDER` */
function requireWidths(modules: readonly SentenceModule[], first: number): void {
  let width = first
  for (const each of modules) {
    const input = each.type === 'Dense' ? each.inFeatures : each.type === 'LayerNorm' ? each.dimension : width
    if (input !== width)
      throw new AttuneError(
        'BAD_MODEL_FOLDER',
        `${each.path}/config.json cannot be used: expected an input of ${width} values, got ${input}`,
        'Save the model again with sentence-transformers, or leave `pooling` as it was saved.',
      )
    if (each.type === 'Dense') width = each.outFeatures
  }
}

/** Adds or removes normalization as the option says. */
function normalized(modules: readonly SentenceModule[], wanted: boolean | undefined): readonly SentenceModule[] {
  if (wanted === false) return modules.filter(({ type }) => type !== 'Normalize')
  if (wanted === undefined || modules.at(-1)?.type === 'Normalize') return modules
  const number = Math.max(1, ...modules.map(({ path }) => Number.parseInt(path, 10))) + 1
  return [...modules, { type: 'Normalize', path: `${number}_Normalize` }]
}

/** Divides the modules after the Transformer into Pooling, if there must be one, and the others. */
function dividedModules(files: SentenceFiles, isPooled: boolean) {
  const [transformer, ...rest] = listedModules(files)
  if (classOf(transformer!) !== 'Transformer' || transformer!.path !== '')
    refuseModule('modules.json', 'a Transformer in the folder itself first', transformer)
  if (isPooled) return { pools: undefined, after: rest }
  const [pools, ...after] = rest
  if (pools === undefined || classOf(pools) !== 'Pooling')
    return refuseModule('modules.json', 'Pooling after the Transformer', pools?.type)
  return { pools, after }
}

/**
 * Reads a sentence-transformers model from its files, or returns the default: mean pooling and normalization to length 1.
 * @throws AttuneError `UNSUPPORTED_MODULE` for a module that is not supported, by its name; `BAD_MODEL_FOLDER`
 */
export function sentenceModel(
  given: SentenceFiles | undefined,
  { pooling, normalize }: SentenceChanges,
  model: Pick<Model, 'hiddenSize' | 'layers' | 'prefix'>,
): SentenceModel {
  const files = given ?? defaultFiles(model.hiddenSize)
  const { maximumLength, isPooled } = transformerOf(files, hasPooler(model))
  const { pools, after } = dividedModules(files, isPooled)
  const saved = pools && poolingSettings(configOf(files, pools.path), `${pools.path}/config.json`)
  const modes = pooling === 'pooled' ? undefined : pooling === undefined ? saved?.modes : [pooling]
  const own = modes && { includePrompt: true, ...saved, modes }
  const modules = normalized(
    after.map((each) => moduleAfterPooling(each, files)),
    normalize,
  )
  requireWidths(modules, model.hiddenSize * (modes?.length ?? 1))
  const changed = modes === saved?.modes ? files : withPooling(files, pools, modes, model.hiddenSize)
  const settings = { pooling: own, modules, maximumLength, ...settingsOf(files) }
  if (own === undefined && !hasPooler(model)) return { ...settings, files: undefined }
  return { ...settings, files: withModules(changed, own && (pools ?? NEW_POOLING), modules) }
}

/** Files of a model whose texts are truncated to `maximumLength`. */
export const sentenceFiles = ({ files }: SentenceModel, maximumLength: number): SentenceFiles | undefined =>
  files && withSettings(files, maximumLength)
