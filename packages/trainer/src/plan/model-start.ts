import {
  type AnyPlugin,
  AttuneError,
  type Chosen,
  type Found,
  MODEL,
  type Use,
  choosePlugins,
  excerpt,
  foundAt,
  shortened,
  use,
} from '@attune/core'
import { optionsFromConfig } from '@attune/weights'
import { z } from 'zod'
import type { Lookup } from './lookup.js'
import { describeModel, readsType } from '../files/model-folder.js'
import { type LayerMap, layerMapSchema, planSurgery, surgerySchema } from './layer-surgery.js'
import { without } from './run-config.js'
import { encoderNeed, savedEncoder } from '../files/saved-plugin.js'
import { withStoredHead } from '../files/stored-head.js'

/** A saved model to start from: `from` in a configuration's `model`. */
export interface PretrainedStart {
  /** Its folder or file. */
  readonly path: string
  /** True to load the tensors that match and initialize the rest; otherwise every tensor must be present. */
  readonly partial: boolean
  /** True to resize its word embeddings to the tokenizer's vocabulary. */
  readonly resizeEmbeddings: boolean
  /** Layers of the saved model to take, as configured. Default: all, in order. */
  readonly fromLayers?: unknown
  /** Layers and parts to initialize at random, as configured. Default: none. */
  readonly reinitialize?: unknown
  /** Origin of the layers, if they differ from those of the saved model. */
  readonly layerMap?: LayerMap | undefined
  /** Differences between its configuration and its weights, to report. Default: none. */
  readonly notes?: readonly string[]
}

/** A frozen encoder inside the run's model, which reads its hidden states. */
export interface EncoderStart {
  readonly model: Chosen
  /** Its checkpoint; undefined if the saved model that the run starts from contains it. */
  readonly path: string | undefined
}

/** Initial weights of a configuration's model. */
export interface ModelStart {
  readonly model: Use
  readonly from: PretrainedStart | undefined
  readonly encoder: EncoderStart | undefined
  /** File of static vectors that initialize the word embeddings. */
  readonly vectors: string | undefined
}

const startSchema = z.object({
  from: z.string().min(1),
  partial: z.boolean().default(false),
  resizeEmbeddings: z.boolean().default(false),
  ...surgerySchema.shape,
})

/** The same in a run's record, which contains the result of layer surgery. */
const recordedSchema = startSchema.extend({ layerMap: layerMapSchema.optional() })

/** Extracts `embeddings: file` from the model's options. */
function readVectorsPath(named: Use, { resolvePath }: Lookup) {
  const { embeddings, from, encoder } = named.options
  if (embeddings === undefined) return { named, vectors: undefined }
  const refuse = (why: string): AttuneError =>
    new AttuneError(
      'BAD_OPTIONS',
      `model: ${why}`,
      'Write `model: { use: …, embeddings: FILE }` with a file of word vectors.',
    )
  if (typeof embeddings !== 'string' || embeddings === '') throw refuse('expected the path of a file in `embeddings`')
  const other = from === undefined ? encoder && 'encoder' : 'from'
  if (other !== undefined) throw refuse(`\`${other}\` and \`embeddings\` both initialize the word embeddings`)
  return { named: without(named, 'embeddings'), vectors: resolvePath(embeddings) }
}

/** Replaces `from: folder` of the model with the options in that folder's `config.json`; explicit options take precedence. */
async function readModelFolder(named: Use, lookup: Lookup) {
  if (named.options['from'] === undefined) return { model: named, from: undefined }
  const schema = lookup.complete ? recordedSchema : startSchema
  const given = schema.safeParse(named.options)
  if (!given.success)
    throw new AttuneError(
      'BAD_OPTIONS',
      `model: ${given.error.issues.map(({ path, message }) => `\`${path.join('.')}\`: ${message}`).join('; ')}`,
      'Write `model: { use: …, from: FOLDER, partial: true, resizeEmbeddings: true, fromLayers: [0, 2, 4], reinitialize: [5, pooler] }`; only `from` is required.',
    )
  const { from, ...how } = given.data
  const path = lookup.resolvePath(from)
  const found = await foundAt(named, lookup.find)
  const saved = lookup.complete ? {} : describeModel(path).config
  const type = saved['model_type']
  if (!lookup.complete && (typeof type !== 'string' || !readsType(found.plugin, type)))
    throw new AttuneError(
      'WRONG_MODEL_TYPE',
      `${path}: expected a model of type "${found.plugin.name}" as configured, got ${excerpt(type)}`,
      `Write \`model: { use: ${typeof type === 'string' ? shortened(type) : '…'}, from: … }\`.`,
    )
  const written = Object.keys(schema.shape).reduce((use, key) => without(use, key), named)
  const isDecided =
    lookup.complete ||
    ['tieWordEmbeddings', 'separateHead'].some((name) => name in written.options) ||
    encoderNeed(found.plugin) !== undefined
  const { config, notes } = isDecided ? { config: saved, notes: [] } : withStoredHead(found.plugin, saved, path)
  const ofSaved = optionsFromConfig(found.plugin.options, config)
  const changesLayers = how.fromLayers !== undefined || how.reinitialize !== undefined
  if (lookup.complete || !changesLayers)
    return startFrom(found, { ...ofSaved, ...written.options }, { path, ...how }, notes)
  requirePlainModel(found.plugin)
  const { options, layerMap, notes: ofLayers } = planSurgery(found.plugin, ofSaved, written.options, how)
  return startFrom(found, options, { path, ...how, layerMap }, [...notes, ...ofLayers])
}

const startFrom = (
  plugin: Found,
  options: Use['options'],
  from: Omit<PretrainedStart, 'notes'>,
  notes: readonly string[],
) => ({ model: { kind: MODEL, plugin, options }, from: { ...from, ...(notes.length > 0 && { notes }) } })

/** @throws AttuneError `BAD_OPTIONS` for layer surgery on a model that reads a frozen encoder */
function requirePlainModel(plugin: AnyPlugin): void {
  if (encoderNeed(plugin) === undefined) return
  throw new AttuneError(
    'BAD_OPTIONS',
    `model: \`fromLayers\` and \`reinitialize\` do not apply to ${plugin.name}, which reads a frozen encoder`,
    'Remove them, or use a model without an encoder option.',
  )
}

/** True if a start takes the saved model as it is. */
const isComplete = (start: PretrainedStart | undefined): boolean =>
  start?.partial !== true &&
  start?.resizeEmbeddings !== true &&
  start?.fromLayers === undefined &&
  start?.reinitialize === undefined

function refuseEncoder(why: string): never {
  throw new AttuneError(
    'BAD_OPTIONS',
    `model: ${why}`,
    'Write `model: { use: …, encoder: { use: …, from: FOLDER } }`, or only `from` to start from a saved model that contains its encoder.',
  )
}

/** Extracts `encoder: { use, from }` from the model's options, or finds the encoder inside the saved model to start from. */
async function readEncoder(
  named: Use,
  lookup: Lookup,
): Promise<{ readonly named: Use; readonly encoder: EncoderStart | undefined }> {
  const { encoder, from } = named.options
  const { resolvePath, complete, find, searchPaths } = lookup
  if (encoder === undefined && typeof from !== 'string') return { named, encoder: undefined }
  const { plugin } = await foundAt(named, find)
  if (encoderNeed(plugin) === undefined) return { named, encoder: undefined }
  if (encoder === undefined) {
    if (complete) return { named, encoder: undefined }
    const path = resolvePath(from as string)
    const inside = await savedEncoder(plugin, describeModel(path).config, path, searchPaths)
    return { named, encoder: inside && { model: inside, path: undefined } }
  }
  if (from !== undefined && !complete) refuseEncoder('`from` and `encoder` both initialize the encoder')
  const parsed = use(MODEL).safeParse(encoder)
  if (!parsed.success) return refuseEncoder('expected a model in `encoder`')
  const { model, from: start } = await readModelFolder(parsed.data, lookup)
  if ((start === undefined && !complete) || !isComplete(start))
    return refuseEncoder('expected `encoder` to start from a complete saved model, since it is frozen')
  const chosen = await choosePlugins({ model }, lookup)
  return { named: without(named, 'encoder'), encoder: { model: chosen.model, path: start?.path } }
}

/** Rejects general model options that do not apply: `encoder` for a model without one, `partial` without `from`. */
function refuseUnread({ options }: Use): void {
  const unread = Object.keys(MODEL.options?.shape ?? {}).find((name) => Object.hasOwn(options, name))
  if (unread === undefined) return
  throw new AttuneError(
    'BAD_CONFIG',
    `model: unknown \`${unread}\`: ${unread === 'encoder' ? 'this model has no encoder option' : 'it requires `from`, the saved model to start from'}`,
    'Remove it, or see `npx attune plugins info model NAME`.',
  )
}

/**
 * Reads the initial weights of a configuration's model: a saved model, a frozen encoder, word vectors.
 * @throws AttuneError `BAD_OPTIONS`, `WRONG_MODEL_TYPE`, and errors of the saved model's files
 */
export async function readModelStart(written: Use, lookup: Lookup): Promise<ModelStart> {
  const { named: withoutVectors, vectors } = readVectorsPath(written, lookup)
  const { named, encoder } = await readEncoder(withoutVectors, lookup)
  const start = await readModelFolder(named, lookup)
  refuseUnread(start.model)
  return { ...start, encoder, vectors }
}

/**
 * Reads the auxiliary models (such as a teacher); each starts from a saved model.
 * @throws AttuneError `BAD_OPTIONS` for one without `from`, and errors of the saved models' files
 */
export async function readAuxiliaryModels(
  models: Readonly<Record<string, Use>>,
  lookup: Lookup,
): Promise<{ readonly models: Readonly<Record<string, Use>>; readonly auxiliary: Readonly<Record<string, string>> }> {
  const read: [string, Use, string][] = []
  for (const [name, written] of Object.entries(models)) {
    const { model, from } = await readModelFolder(written, lookup)
    if (from === undefined || name === 'reference')
      throw new AttuneError(
        'BAD_OPTIONS',
        name === 'reference'
          ? 'models.reference: expected another name: `reference` is reserved for the initial model'
          : `models.${name}: expected \`from\`, the folder of a saved model`,
        `Write \`models: { ${name === 'reference' ? 'teacher' : name}: { use: …, from: FOLDER } }\`.`,
      )
    if (from.fromLayers !== undefined || from.reinitialize !== undefined)
      throw new AttuneError(
        'BAD_OPTIONS',
        `models.${name}: \`fromLayers\` and \`reinitialize\` only apply to the model that trains`,
        'Remove them: an auxiliary model is frozen.',
      )
    read.push([name, model, from.path])
  }
  return {
    models: Object.fromEntries(read.map(([name, model]) => [name, model])),
    auxiliary: Object.fromEntries(read.map(([name, , path]) => [name, path])),
  }
}
