import { existsSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { type AnyPlugin, AttuneError, isRecord } from '@attune/core'
import { parsePythonJson, readWholeFile } from '@attune/files'
import { modulePaths } from './split-modules.js'

/** Size limit of each JSON file. */
const MAXIMUM_BYTES = 1_000_000

const [MODULES, TRANSFORMER] = ['modules.json', 'sentence_bert_config.json']

/** Names of the settings of the Transformer module in the order in which sentence-transformers looks for them. */
const TRANSFORMERS = ['bert', 'roberta', 'distilbert', 'camembert', 'albert', 'xlm-roberta', 'xlnet'].map(
  (type) => `sentence_${type}_config.json`,
)

const refuse = (file: string, why: string): AttuneError =>
  new AttuneError('BAD_MODEL_FOLDER', `${file} cannot be used: ${why}`, 'Download or save the model again.')

/**
 * Requires a file of the folder, or of the folder of a Hub cache that `modules.json` links to: a link to another location could copy a
 * user's private file into the saved model.
 */
function requireInside(folder: string, file: string): void {
  const modules = join(folder, MODULES)
  const folders = [realpathSync(folder), ...(existsSync(modules) ? [dirname(realpathSync(modules))] : [])]
  const real = realpathSync(file)
  if (!folders.some((each) => real.startsWith(each + sep)))
    throw new Error('it is a symbolic link to a file outside the folder')
}

/** Content of a JSON file in a folder; undefined if there is none. */
function contentOf(folder: string, name: string): unknown {
  const file = join(folder, name)
  if (!existsSync(file)) return undefined
  try {
    requireInside(folder, file)
    const bytes = readWholeFile(file, MAXIMUM_BYTES)
    return bytes && parsePythonJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw refuse(file, (error as Error).message)
  }
}

/** Settings of the Transformer module, with the tokenizer's maximum length if they have none. */
function transformerSettings(folder: string): unknown {
  const found = TRANSFORMERS.find((name) => existsSync(join(folder, name)))
  const settings = found === undefined ? {} : contentOf(folder, found)
  if (!isRecord(settings) || settings['max_seq_length'] != null) return settings
  const tokenizer = contentOf(folder, 'tokenizer_config.json')
  const length = isRecord(tokenizer) ? tokenizer['model_max_length'] : undefined
  return Number.isSafeInteger(length) && (length as number) > 0 ? { ...settings, max_seq_length: length } : settings
}

/**
 * Reads the JSON files that describe a model to sentence-transformers, content by path; undefined if the folder has no `modules.json`.
 * @throws AttuneError `BAD_MODEL_FOLDER`
 */
export function sentenceFiles(folder: string): Readonly<Record<string, unknown>> | undefined {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined
  const listed = contentOf(folder, MODULES)
  if (listed === undefined) return undefined
  const names = ['config_sentence_transformers.json', ...modulePaths(listed).map((path) => `${path}/config.json`)]
  const read = names.map((name) => [name, contentOf(folder, name)] as const)
  return {
    [MODULES]: listed,
    [TRANSFORMER]: transformerSettings(folder),
    ...Object.fromEntries(read.filter(([, content]) => content !== undefined)),
  }
}

/**
 * Adds the files of the saved model to the options of an objective that reads them. Written options take precedence.
 * @throws AttuneError `BAD_MODEL_FOLDER`
 */
export function withSentenceFiles(
  plugin: AnyPlugin,
  options: Readonly<Record<string, unknown>>,
  folder: string,
): Readonly<Record<string, unknown>> {
  const name = 'sentenceTransformers'
  if (!(name in plugin.options.shape) || options[name] !== undefined) return options
  const files = sentenceFiles(folder)
  return files === undefined ? options : { ...options, [name]: files }
}
