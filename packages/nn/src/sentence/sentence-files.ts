import { isRecord } from '@attune/core'
import { type PoolingMode, poolingModes } from '../heads/pooling.js'
import {
  LEGACY_KEYS,
  type ListedModule,
  type SentenceFiles,
  type SentenceModule,
  configOf,
  listedModules,
} from './sentence-modules.js'

const MODULES = 'sentence_transformers.models'
const TRANSFORMER = 'sentence_bert_config.json'

/** Files of a transformer with mean pooling over the tokens that are not padding, and normalization to length 1. */
export const defaultFiles = (hiddenSize: number): SentenceFiles => ({
  'modules.json': [
    { idx: 0, name: '0', path: '', type: `${MODULES}.Transformer` },
    { idx: 1, name: '1', path: '1_Pooling', type: `${MODULES}.Pooling` },
    { idx: 2, name: '2', path: '2_Normalize', type: `${MODULES}.Normalize` },
  ],
  [TRANSFORMER]: { max_seq_length: null, do_lower_case: false },
  '1_Pooling/config.json': {
    word_embedding_dimension: hiddenSize,
    pooling_mode_cls_token: false,
    pooling_mode_mean_tokens: true,
    pooling_mode_max_tokens: false,
    pooling_mode_mean_sqrt_len_tokens: false,
  },
})

/** Settings of a Transformer module whose output is that of the model's pooler, from version 5.4 on. */
export const POOLER = {
  transformer_task: 'feature-extraction',
  modality_config: { text: { method: 'forward', method_output_name: 'pooler_output' } },
  module_output_name: 'sentence_embedding',
} as const

/** Settings of the Transformer module without its outputs, which are then the hidden states. */
function ofStates(files: SentenceFiles): Readonly<Record<string, unknown>> {
  const { modality_config: _, module_output_name: __, ...rest } = (files[TRANSFORMER] ?? {}) as Record<string, unknown>
  return rest
}

/** Pooling modes in the format of a saved configuration; by default that of the versions before 5.4, which all versions read. */
function pooledBy(config: Readonly<Record<string, unknown>>, modes: readonly PoolingMode[]) {
  if ('pooling_mode' in config) return { pooling_mode: modes.length === 1 ? modes[0] : modes }
  return Object.fromEntries(poolingModes.map((mode) => [LEGACY_KEYS[mode], modes.includes(mode)]))
}

/** A Pooling module that a model did not have. */
export const NEW_POOLING: ListedModule = { idx: 1, name: '1', path: '1_Pooling', type: `${MODULES}.Pooling` }

/**
 * Replaces the pooling of a model.
 * @param pools the Pooling module; undefined if the Transformer module returns the output of the model's pooler
 * @param modes the modes; undefined for the output of the model's pooler
 */
export function withPooling(
  files: SentenceFiles,
  pools: ListedModule | undefined,
  modes: readonly PoolingMode[] | undefined,
  hiddenSize: number,
): SentenceFiles {
  if (modes === undefined) return { ...files, [TRANSFORMER]: { ...ofStates(files), ...POOLER } }
  const name = `${(pools ?? NEW_POOLING).path}/config.json`
  if (pools === undefined)
    return {
      ...files,
      [TRANSFORMER]: ofStates(files),
      [name]: { word_embedding_dimension: hiddenSize, ...pooledBy({}, modes) },
    }
  const config = configOf(files, pools.path) as Readonly<Record<string, unknown>>
  return { ...files, [name]: { ...config, ...pooledBy(config, modes) } }
}

/** Replaces the modules after the Transformer, and drops the files of those that are left out. */
export function withModules(
  files: SentenceFiles,
  pools: ListedModule | undefined,
  modules: readonly SentenceModule[],
): SentenceFiles {
  const [first, ...listed] = listedModules(files)
  const paths = [...(pools === undefined ? [] : [pools.path]), ...modules.map(({ path }) => path)]
  if (String(listed.map(({ path }) => path)) === String(paths)) return files
  const kept = modules.map(
    ({ path, type }) => listed.find((each) => each.path === path) ?? { path, type: `${MODULES}.${type}` },
  )
  const all = [first, ...(pools === undefined ? [] : [pools]), ...kept]
  const isKept = (name: string): boolean => !name.includes('/') || paths.includes(name.slice(0, name.indexOf('/')))
  return {
    ...Object.fromEntries(Object.entries(files).filter(([name]) => isKept(name))),
    'modules.json': all.map((each, idx) => ({ ...each, idx, name: String(idx) })),
  }
}

/** Sets the maximum number of tokens of a text. */
export function withSettings(files: SentenceFiles, maximumLength: number): SentenceFiles {
  const config = isRecord(files[TRANSFORMER]) ? files[TRANSFORMER] : {}
  return { ...files, [TRANSFORMER]: { ...config, max_seq_length: maximumLength } }
}
