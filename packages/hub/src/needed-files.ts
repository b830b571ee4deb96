import { AttuneError } from '@attune/core'
import { printable } from './model-name.js'

/** Files beside the weights that say what a model is, how its texts are cut, and how it writes. */
const DESCRIPTIONS = new Set([
  'README.md',
  'adapter_config.json',
  'added_tokens.json',
  'chat_template.jinja',
  'chat_template.json',
  'config.json',
  'config_sentence_transformers.json',
  'generation_config.json',
  'merges.txt',
  'modules.json',
  'sentence_bert_config.json',
  'sentencepiece.bpe.model',
  'sentencepiece.model',
  'source.spm',
  'special_tokens_map.json',
  'spiece.model',
  'target.spm',
  'target_tokenizer.json',
  'tokenizer.json',
  'tokenizer.model',
  'tokenizer_config.json',
  'vocab.json',
  'vocab.txt',
])
const ADAPTER = 'adapter_model.safetensors'
const SHARD = /^model-\d+-of-\d+\.safetensors$/
const INDEX = 'model.safetensors.index.json'
const CHAT = /^additional_chat_templates\/[^/]+\.jinja$/
const POOLING = /^\d+_[A-Za-z]+\/(config\.json|model\.safetensors)$/
const PICKLE = /\.(bin|pt|pth|ckpt|pkl|pickle|joblib|dill)$/i

/** Whether a file is a pickle by its name: a program that runs when it is read. */
export const isPickleName = (path: string): boolean => PICKLE.test(path)

/** The weights that are read: one file, else shards, else whatever safetensors there are, else the only GGUF file. */
function weightsAmong(paths: readonly string[]): readonly string[] {
  if (paths.includes('model.safetensors')) return ['model.safetensors']
  const shards = paths.filter((path) => SHARD.test(path))
  if (paths.includes(INDEX) && shards.length > 0) return [INDEX, ...shards]
  const atTop = (ending: string): string[] => paths.filter((path) => path.endsWith(ending) && !path.includes('/'))
  const others = atTop('.safetensors').filter((path) => path !== ADAPTER)
  if (others.length > 0) return others
  const ggufs = atTop('.gguf')
  return ggufs.length === 1 ? ggufs : []
}

function noWeights(name: string, paths: readonly string[]): AttuneError {
  const pickle = paths.find(isPickleName)
  if (pickle !== undefined)
    return new AttuneError(
      'PICKLED_WEIGHTS',
      `${name} has its weights as pickles alone (${printable(pickle)}), and reading one can run any program: none is downloaded`,
      'Take a revision or another model that has safetensors; conversions are often at the revision refs/pr/1.',
    )
  const ggufs = paths.filter((path) => path.endsWith('.gguf'))
  return new AttuneError(
    'NO_WEIGHTS_FILE',
    `${name} has no weights that one would know how to choose${ggufs.length > 0 ? `, but ${ggufs.length} GGUF files: ${printable(ggufs.slice(0, 8).join(', '), 400)}` : ''}`,
    ggufs.length > 0 ? `Name one: --file ${printable(ggufs[0]!)}` : 'Name the files to download: --file NAME.',
  )
}

/**
 * The files of a repository that a model needs: its descriptions, its tokenizer and its weights, each once; and those that
 * are asked for besides, which then may be the only weights.
 * @throws AttuneError `PICKLED_WEIGHTS` where only pickles are there or one is asked for, `NO_WEIGHTS_FILE`, `HUB_NOT_FOUND`
 *   for a file that is asked for and is not there
 */
export function neededFiles(name: string, paths: readonly string[], extra: readonly string[] = []): readonly string[] {
  for (const path of extra) {
    if (!paths.includes(path))
      throw new AttuneError(
        'HUB_NOT_FOUND',
        `${name} has no file ${printable(path)}`,
        'See the list of files on the page of the model.',
      )
    if (isPickleName(path)) throw noWeights(name, [path])
  }
  const weights = weightsAmong(paths)
  const adapter = paths.filter((path) => path === ADAPTER)
  if (weights.length + adapter.length + extra.length === 0) throw noWeights(name, paths)
  const described = paths.filter((path) => DESCRIPTIONS.has(path) || POOLING.test(path) || CHAT.test(path))
  return [...new Set([...described, ...adapter, ...weights, ...extra])]
}
