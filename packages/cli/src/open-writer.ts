import type { Model, Tokenizer } from '@attune/core'
import { type GenerationDefaults, type Generator, endTokens, generationDefaults, generator } from '@attune/generate'
import { type Pretrained, loadPretrained } from '@attune/trainer/node'
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

const objectiveFor = ({ config }: Model) => ({
  use: config['is_encoder_decoder'] === true ? 'sequence-to-sequence' : 'causal-language-modeling',
})

/** The model's default generation settings; unsupported ones are shown as warnings. */
function defaultsOf({ generation }: Pretrained): GenerationDefaults | undefined {
  if (generation === undefined) return undefined
  const defaults = generationDefaults(generation, 'generation_config.json')
  if (defaults.unsupported.length > 0)
    showWarnings([`settings of generation_config.json that are not followed: ${defaults.unsupported.join(', ')}`])
  return defaults
}

/** Opens a model for text generation: of a run, of a folder in the layout of transformers, or of the Hub; with a saved adapter, if given. */
export async function openWriter(model: string, adapter?: string): Promise<OpenWriter> {
  const applied = adapter === undefined ? {} : { adapter: await folderOf(adapter) }
  const loaded = await loadPretrained(await folderOf(model), objectiveFor, searchPathsFrom(), applied)
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
