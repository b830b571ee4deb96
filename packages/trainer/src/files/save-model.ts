import type { Params, Score } from '@attune/core'
import { type FolderContent, writeFolderAtomically } from '@attune/files'
import { GENERATION } from './model-folder.js'
import { type SavedModel, json, modelFiles } from './model-files.js'
import { ADAPTER_FOLDER } from './saved-adapter.js'

/** Validation scores of the saved weights, for the model card. */
export type LastScores = Readonly<Record<string, Score>> | undefined

/** Content of a model card in addition to architecture and labels. */
export interface CardOptions {
  /** The objective's name. */
  readonly task?: string
  /** One or two sentences about the training. */
  readonly training?: string
  /** Validation scores. */
  readonly scores?: LastScores
}

/** Model card with architecture, training, scores and the metadata for the Hub. */
function card(
  { model, objective }: Pick<SavedModel, 'model' | 'objective'>,
  { task, training, scores }: CardOptions,
): string {
  const rows = Object.entries(scores ?? {}).map(([name, { value }]) => `| ${name} | ${value.toFixed(4)} |`)
  const labels = Object.values((objective.config['id2label'] ?? {}) as Record<string, string>)
  return [
    '---',
    ...('modules.json' in (objective.files ?? {})
      ? ['library_name: sentence-transformers', 'pipeline_tag: sentence-similarity']
      : ['library_name: transformers']),
    'tags: [attune]',
    '---',
    '',
    `# ${[model.config['model_type'], task]
      .filter((each) => each !== undefined)
      .map(String)
      .join(', ')}`,
    '',
    `Trained with Attune${training === undefined ? '' : `: ${training}`}.`,
    ...(labels.length > 0 ? ['', `Labels: ${labels.join(', ')}.`] : []),
    ...(rows.length > 0 ? ['', '| validation | |', '|---|---|', ...rows] : []),
    '',
  ].join('\n')
}

/** Options of {@link saveModel}. */
export interface SaveOptions extends CardOptions {
  /** Precision of the saved weights; float16 halves the file size. Default: float32. */
  readonly saveAs?: 'float32' | 'float16'
  /** Content of `generation_config.json`. Default: the file is not written. */
  readonly generation?: Readonly<Record<string, unknown>> | undefined
  /** Maximum size of a weight file in bytes; larger models are sharded. */
  readonly maximumBytes?: number | undefined
  /** Files of an adapter of this model that is not merged into its weights, saved in the folder `adapter`. Default: none. */
  readonly adapter?: FolderContent | undefined
}

/**
 * Writes a model in the Hugging Face file layout: `config.json`, safetensors weights, tokenizer files, a model card. The folder is
 * written atomically.
 * @param params all parameters of the architecture and the head, with any adapter merged
 * @returns the folder
 * @throws AttuneError `CANNOT_WRITE`
 *
 * @example
 * ```ts
 * import { readdirSync } from 'node:fs'
 * import { key } from '@attune/core'
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { sequenceClassification } from '@attune/objective-sequence-classification'
 * import { tinyModel, tinyTokenizer } from '@attune/testkit/tiny'
 * import { saveModel } from '@attune/trainer/node'
 * const [engine, model, tokenizer] = [tfjsCpu(), tinyModel(), tinyTokenizer()]
 * await engine.start()
 * const objective = sequenceClassification({ labels: ['no', 'yes'] }, { model, tokenizer })
 * const params = { ...model.init(key(1)), ...objective.init(key(2)) }
 * const folder = await saveModel('my-classifier', { engine, model, objective, tokenizer }, params)
 * console.log(readdirSync(folder).sort()) // [ 'README.md', 'config.json', 'model.safetensors' ]
 * ```
 */
export async function saveModel(
  folder: string,
  components: SavedModel,
  params: Params,
  { saveAs = 'float32', generation, maximumBytes, adapter = {}, ...about }: SaveOptions = {},
): Promise<string> {
  const files: FolderContent = {
    ...(await modelFiles(components, params, saveAs, maximumBytes)),
    ...(generation === undefined ? {} : { [GENERATION]: json(generation) }),
    'README.md': card(components, about),
    ...Object.fromEntries(Object.entries(adapter).map(([name, content]) => [`${ADAPTER_FOLDER}/${name}`, content])),
  }
  await writeFolderAtomically(folder, files)
  return folder
}
