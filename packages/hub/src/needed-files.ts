import { AttuneError } from '@attune/core'
import { printable } from './model-name.js'

/** Configuration, tokenizer and generation files, in addition to the weights. */
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
  'sentence_albert_config.json',
  'sentence_bert_config.json',
  'sentence_camembert_config.json',
  'sentence_distilbert_config.json',
  'sentence_roberta_config.json',
  'sentence_xlm-roberta_config.json',
  'sentence_xlnet_config.json',
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

/** True if a file is a pickle by its extension; loading one executes code. */
export const isPickleName = (path: string): boolean => PICKLE.test(path)

/** Selects the weights: a single file, else shards, else any other safetensors, else the only GGUF file. */
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
      `${name} has only pickled weights (${printable(pickle)}), which can execute arbitrary code when they are loaded; pickles are not downloaded`,
      'Use a revision or another model with safetensors; conversions are often at the revision refs/pr/1.',
    )
  const ggufs = paths.filter((path) => path.endsWith('.gguf'))
  return new AttuneError(
    'NO_WEIGHTS_FILE',
    `${name} has no weights to select automatically${ggufs.length > 0 ? `, but ${ggufs.length} GGUF files: ${printable(ggufs.slice(0, 8).join(', '), 400)}` : ''}`,
    ggufs.length > 0 ? `Select one: --file ${printable(ggufs[0]!)}` : 'Select the files to download: --file NAME.',
  )
}

/**
 * Returns the files of a repository that a model needs: configuration, tokenizer and one format of weights; and the
 * `extra` files, which may then be the only weights.
 * @throws AttuneError `PICKLED_WEIGHTS` if all weights or an extra file are pickles, `NO_WEIGHTS_FILE`,
 * `HUB_NOT_FOUND` for a missing extra file
 */
export function neededFiles(name: string, paths: readonly string[], extra: readonly string[] = []): readonly string[] {
  for (const path of extra) {
    if (!paths.includes(path))
      throw new AttuneError(
        'HUB_NOT_FOUND',
        `${name} has no file ${printable(path)}`,
        'Check the file list on the page of the model.',
      )
    if (isPickleName(path)) throw noWeights(name, [path])
  }
  const weights = weightsAmong(paths)
  const adapter = paths.filter((path) => path === ADAPTER)
  if (weights.length + adapter.length + extra.length === 0) throw noWeights(name, paths)
  const described = paths.filter((path) => DESCRIPTIONS.has(path) || POOLING.test(path) || CHAT.test(path))
  return [...new Set([...described, ...adapter, ...weights, ...extra])]
}
