import {
  AttuneError,
  type Chosen,
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
import { without } from './run-config.js'
import { encoderNeed, savedEncoder } from '../files/saved-plugin.js'

/** A saved model to start from: what stands beside `from` in a configuration's `model`. */
export interface Start {
  /** Its folder, or its file. */
  readonly path: string
  /** True if what fits is loaded and the rest stays new; else the model must be whole. */
  readonly partial: boolean
  /** True if its word embeddings may grow to the tokenizer's vocabulary. */
  readonly resizeEmbeddings: boolean
}

/** A model inside the run's own, whose states that one reads. */
export interface Inside {
  readonly model: Chosen
  /** Its checkpoint; none where the saved model that the run starts from has it inside. */
  readonly path: string | undefined
}

/** What the model of a configuration starts from. */
export interface ModelStart {
  readonly model: Use
  readonly from: Start | undefined
  readonly encoder: Inside | undefined
  /** The file of word vectors that the word embeddings start from. */
  readonly vectors: string | undefined
}

const startSchema = z.object({
  from: z.string().min(1),
  partial: z.boolean().default(false),
  resizeEmbeddings: z.boolean().default(false),
})

/** Takes `embeddings: file` out of the model's options. */
function readVectorsPath(named: Use, { resolvePath }: Lookup) {
  const { embeddings, from, encoder } = named.options
  if (embeddings === undefined) return { named, vectors: undefined }
  const refuse = (why: string): AttuneError =>
    new AttuneError(
      'BAD_OPTIONS',
      `model: ${why}`,
      'Write `model: { use: …, embeddings: FILE }`, a file of word vectors.',
    )
  if (typeof embeddings !== 'string' || embeddings === '') throw refuse('`embeddings` must be the path of a file')
  const other = from === undefined ? encoder && 'encoder' : 'from'
  if (other !== undefined) throw refuse(`\`${other}\` and \`embeddings\` both say what the word embeddings start from`)
  return { named: without(named, 'embeddings'), vectors: resolvePath(embeddings) }
}

/** Replaces `from: folder` of the model by the options in that folder's `config.json`; written options win. */
async function readModelFolder(named: Use, lookup: Lookup) {
  if (named.options['from'] === undefined) return { model: named, from: undefined }
  const given = startSchema.safeParse(named.options)
  if (!given.success)
    throw new AttuneError(
      'BAD_OPTIONS',
      `model: ${given.error.issues.map(({ path, message }) => `\`${path.join('.')}\`: ${message}`).join('; ')}`,
      'Write `model: { use: …, from: FOLDER, partial: true, resizeEmbeddings: true }`; the last two may be left out.',
    )
  const { from, ...how } = given.data
  const path = lookup.resolvePath(from)
  const found = await foundAt(named, lookup.find)
  const saved = lookup.complete ? {} : describeModel(path).config
  const type = saved['model_type']
  if (!lookup.complete && (typeof type !== 'string' || !readsType(found.plugin, type)))
    throw new AttuneError(
      'WRONG_MODEL_TYPE',
      `${path} holds a model of type ${excerpt(type)}, and the configuration uses "${found.plugin.name}"`,
      `Write \`model: { use: ${typeof type === 'string' ? shortened(type) : '…'}, from: … }\`.`,
    )
  const written = Object.keys(startSchema.shape).reduce((use, key) => without(use, key), named)
  const options = { ...optionsFromConfig(found.plugin.options, saved), ...written.options }
  return { model: { kind: MODEL, plugin: found, options }, from: { path, ...how } }
}

function refuseEncoder(why: string): never {
  throw new AttuneError(
    'BAD_OPTIONS',
    `model: ${why}`,
    'Write `encoder: { use: …, from: FOLDER }`, a saved model, beside `use`; or `from` alone, to start from a model that has one.',
  )
}

/** Takes `encoder: { use, from }` out of the model's options, or finds it inside the saved model that is named. */
async function readEncoder(
  named: Use,
  lookup: Lookup,
): Promise<{ readonly named: Use; readonly encoder: Inside | undefined }> {
  const { encoder, from } = named.options
  const { resolvePath, complete, find, places } = lookup
  if (encoder === undefined && typeof from !== 'string') return { named, encoder: undefined }
  const { plugin } = await foundAt(named, find)
  if (encoderNeed(plugin) === undefined) return { named, encoder: undefined }
  if (encoder === undefined) {
    if (complete) return { named, encoder: undefined }
    const path = resolvePath(from as string)
    const inside = await savedEncoder(plugin, describeModel(path).config, path, places)
    return { named, encoder: inside && { model: inside, path: undefined } }
  }
  if (from !== undefined && !complete) refuseEncoder('`from` and `encoder` both say what the model starts from')
  const parsed = use(MODEL).safeParse(encoder)
  if (!parsed.success) return refuseEncoder('`encoder` must name a model')
  const { model, from: start } = await readModelFolder(parsed.data, lookup)
  if ((start === undefined && !complete) || start?.partial === true || start?.resizeEmbeddings === true)
    return refuseEncoder('an encoder stays as it is, so that it must start from a whole saved model')
  const chosen = await choosePlugins({ model }, lookup)
  return { named: without(named, 'encoder'), encoder: { model: chosen.model, path: start?.path } }
}

/** Options of every model that this one has no use for: `encoder` of a model that reads no other, `partial` without `from`. */
function refuseUnread({ options }: Use): void {
  const unread = Object.keys(MODEL.options?.shape ?? {}).find((name) => Object.hasOwn(options, name))
  if (unread === undefined) return
  throw new AttuneError(
    'BAD_CONFIG',
    `model: unknown \`${unread}\`: ${unread === 'encoder' ? 'this model reads no other model' : 'it says how to start `from` a saved model, and there is none'}`,
    'Leave it out, or see `attune plugins info model NAME`.',
  )
}

/**
 * Reads what a configuration's model starts from: a saved model, a frozen encoder inside, word vectors.
 * @throws AttuneError `BAD_OPTIONS`, `WRONG_MODEL_TYPE`, and those of the saved model's files
 */
export async function readModelStart(written: Use, lookup: Lookup): Promise<ModelStart> {
  const { named: withoutVectors, vectors } = readVectorsPath(written, lookup)
  const { named, encoder } = await readEncoder(withoutVectors, lookup)
  const start = await readModelFolder(named, lookup)
  refuseUnread(start.model)
  return { ...start, encoder, vectors }
}

/**
 * Reads the models beside the one that trains; each starts from a saved model.
 * @throws AttuneError `BAD_OPTIONS` for one without `from`, and those of the saved models' files
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
          ? 'models.reference: expected another name, since that is the model as training starts'
          : `models.${name}: expected \`from\`, the folder of a saved model`,
        `Write \`models: { ${name === 'reference' ? 'teacher' : name}: { use: …, from: FOLDER } }\`.`,
      )
    read.push([name, model, from.path])
  }
  return {
    models: Object.fromEntries(read.map(([name, model]) => [name, model])),
    auxiliary: Object.fromEntries(read.map(([name, , path]) => [name, path])),
  }
}
