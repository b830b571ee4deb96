import { AttuneError, type Model, type Tokenizer, isRecord } from '@attune/core'
import { type GenerationDefaults, type Generator, endTokens, generationDefaults, generator } from '@attune/generate'
import { type ObjectiveChoice, type Pretrained, loadPretrained, openTask } from '@attune/trainer/node'
import { folderOf } from './hub-models.js'
import { searchPathsFrom } from './search-paths.js'
import { showWarnings } from './show-warnings.js'

/** A saved model opened for text generation. */
export interface OpenWriter {
  readonly generator: Generator
  readonly tokenizer: Tokenizer
  /** End-of-sequence tokens. */
  readonly ends: ReadonlySet<number>
  close(): Promise<void>
}

/** @throws AttuneError `TASK_MISMATCH` for a multi-task model */
function objectiveFor({ config }: Model, { tasks }: Readonly<Record<string, unknown>>): ObjectiveChoice {
  if (!isRecord(tasks))
    return { use: config['is_encoder_decoder'] === true ? 'sequence-to-sequence' : 'causal-language-modeling' }
  throw new AttuneError(
    'TASK_MISMATCH',
    `expected the name of a task of this multi-task model, ${Object.keys(tasks).join(' or ')}, got none`,
    'Name the task: npx attune generate RUN --task NAME "some text"',
  )
}

/** Options of {@link openWriter}. */
interface WriterOptions {
  /** Saved adapter to apply. Default: the one that is saved with the model, if there is one. */
  readonly adapter?: string | undefined
  /** Task of a multi-task run. Default: the model is of a single task. */
  readonly task?: string | undefined
}

/** The model's default generation settings; unsupported ones are shown as warnings. */
function defaultsOf({ generation }: Pick<Pretrained, 'generation'>): GenerationDefaults | undefined {
  if (generation === undefined) return undefined
  const defaults = generationDefaults(generation, 'generation_config.json')
  if (defaults.unsupported.length > 0)
    showWarnings([`settings of generation_config.json that are not followed: ${defaults.unsupported.join(', ')}`])
  return defaults
}

/** Loads a model with a saved adapter, or one task of a multi-task run. */
async function load(model: string, { adapter, task }: WriterOptions) {
  const folder = await folderOf(model)
  if (task !== undefined) return openTask(folder, task, { searchPaths: searchPathsFrom() })
  return loadPretrained(
    folder,
    objectiveFor,
    searchPathsFrom(),
    adapter === undefined ? {} : { adapter: await folderOf(adapter) },
  )
}

/** Opens a model for text generation: of a run, of a folder in the layout of transformers, or of the Hub. */
export async function openWriter(model: string, options: WriterOptions = {}): Promise<OpenWriter> {
  const loaded = await load(model, options)
  showWarnings(loaded.warnings)
  try {
    const defaults = defaultsOf(loaded)
    const writes = generator({ ...loaded, defaults })
    return {
      generator: writes,
      tokenizer: loaded.tokenizer,
      ends: endTokens({ ...loaded, defaults }),
      async close() {
        writes.close()
        await loaded.close()
      },
    }
  } catch (error) {
    await loaded.close()
    throw error
  }
}
