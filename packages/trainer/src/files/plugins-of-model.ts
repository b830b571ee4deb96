import { readTokenizerFiles } from '@attune/text'
import type { SearchPaths } from '@attune/resolve'
import { describeModel, tokenizerPlugin } from './model-folder.js'
import { pluginFor } from './saved-plugin.js'

/**
 * Names of the installed plugins that read the model and the tokenizer of a folder in the layout of transformers, as a configuration
 * writes them: `model: { use: NAME, from: FOLDER }`, `tokenizer: { use: NAME, path: FOLDER }`.
 * @throws AttuneError `FILE_NOT_FOUND`, `BAD_MODEL_FOLDER`, `BAD_TOKENIZER`, `UNKNOWN_MODEL_TYPE`
 */
export async function pluginsOfModel(
  folder: string,
  searchPaths: SearchPaths,
): Promise<{ readonly model: string; readonly tokenizer: string }> {
  const { plugin } = await pluginFor(describeModel(folder).config, folder, searchPaths)
  const { json, where } = readTokenizerFiles(folder)
  return { model: plugin.name, tokenizer: (await tokenizerPlugin(json, where, searchPaths)).name }
}
