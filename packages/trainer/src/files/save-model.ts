import type { Params, Score } from '@attune/core'
import { type FolderContent, writeFolderAtomically } from '@attune/files'
import { GENERATION } from './model-folder.js'
import { type SavedModel, json, modelFiles } from './model-files.js'

/** The last scores of the validation split, for the card. */
export type LastScores = Readonly<Record<string, Score>> | undefined

/** What a model card says besides the architecture and the labels. */
export interface CardOptions {
  /** The objective's name. */
  readonly task?: string
  /** A sentence or two on the training. */
  readonly training?: string
  /** Scores of the validation split. */
  readonly scores?: LastScores
}

/** A model card: what the model is, how it was trained, and how well it did, with the metadata that the Hub reads. */
function card(
  { model, objective }: Pick<SavedModel, 'model' | 'objective'>,
  { task, training, scores }: CardOptions,
): string {
  const rows = Object.entries(scores ?? {}).map(([name, { value }]) => `| ${name} | ${value.toFixed(4)} |`)
  const labels = Object.values((objective.config['id2label'] ?? {}) as Record<string, string>)
  return [
    '---',
    'library_name: transformers',
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
  /** The type of the saved weights; float16 halves the files, and rounds. Default: float32. */
  readonly saveAs?: 'float32' | 'float16'
  /** The content of `generation_config.json`. Default: no such file. */
  readonly generation?: Readonly<Record<string, unknown>> | undefined
  /** The maximum size of a file of weights, in bytes, beyond which there are several. */
  readonly maximumBytes?: number | undefined
}

/**
 * Writes a model in the Hugging Face layout: `config.json`, weights as safetensors, the tokenizer's files, a model card. The folder
 * appears whole, or not at all.
 * @param params all parameters of the architecture and the head; those of an adapter merged
 * @returns the folder
 * @throws AttuneError `CANNOT_WRITE`
 * @example
 * await saveModel('my-model', { engine, model, objective, tokenizer }, params, { task: 'sequence-classification' })
 */
export async function saveModel(
  folder: string,
  parts: SavedModel,
  params: Params,
  { saveAs = 'float32', generation, maximumBytes, ...about }: SaveOptions = {},
): Promise<string> {
  const files: FolderContent = {
    ...(await modelFiles(parts, params, saveAs, maximumBytes)),
    ...(generation === undefined ? {} : { [GENERATION]: json(generation) }),
    'README.md': card(parts, about),
  }
  await writeFolderAtomically(folder, files)
  return folder
}
