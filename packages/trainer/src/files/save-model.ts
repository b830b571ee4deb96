import {
  type Engine,
  type HostArray,
  type Model,
  type Objective,
  type Params,
  type Score,
  type Tokenizer,
} from '@attune/core'
import { type Files, writeFolderAtomically } from '@attune/files'
import { shardWeights } from '@attune/weights'
import { GENERATION } from './model-folder.js'

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
  { model, objective }: Pick<SavedParts, 'model' | 'objective'>,
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

/** The parts of a model that is saved. */
export interface SavedParts {
  readonly engine: Pick<Engine, 'read'>
  readonly model: Pick<Model, 'config'>
  readonly objective: Pick<Objective, 'config'>
  readonly tokenizer: Pick<Tokenizer, 'files'>
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
  parts: SavedParts,
  params: Params,
  { saveAs = 'float32', generation, maximumBytes, ...about }: SaveOptions = {},
): Promise<string> {
  const weights = (await parts.engine.read(params)) as unknown as Record<string, HostArray>
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
  const files: Files = {
    'config.json': json({ ...parts.model.config, ...parts.objective.config, torch_dtype: saveAs }),
    ...shardWeights(weights, saveAs, maximumBytes),
    ...(generation === undefined ? {} : { [GENERATION]: json(generation) }),
    'README.md': card(parts, about),
    ...Object.fromEntries(Object.entries(parts.tokenizer.files()).map(([name, content]) => [name, json(content)])),
  }
  await writeFolderAtomically(folder, files)
  return folder
}
