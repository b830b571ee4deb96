import { existsSync } from 'node:fs'
import { type AnyPlugin, type Model, isAttuneError, shortened } from '@attune/core'
import { configFromOptions, optionsFromConfig, type WeightsReader } from '@attune/weights'
import { openWeights } from '@attune/weights/node'
import { sameValues } from './same-values.js'

type Config = Readonly<Record<string, unknown>>
type Options = Readonly<Record<string, unknown>>

/** A `config.json` that agrees with the weights stored next to it. */
export interface StoredHead {
  readonly config: Config
  /** Differences to report, one sentence each. */
  readonly notes: readonly string[]
}

/** Options for heads that are tied to the word embeddings or not, by the value of a tied head. */
const SWITCHES = { tieWordEmbeddings: true, separateHead: false } as const
type Switch = keyof typeof SWITCHES

/** The option of a model plugin that supports both tied and untied heads, if it has one. */
function switchOf({ options }: AnyPlugin): Switch | undefined {
  return (Object.keys(SWITCHES) as Switch[]).find((name) => {
    const option = options.shape[name] as { safeParse(value: unknown): { success: boolean } } | undefined
    return option !== undefined && [true, false].every((value) => option.safeParse(value).success)
  })
}

/** The language-modeling head of a model with a weight of its own. */
const ownHead = ({ heads }: Model) =>
  Object.values(heads).find(({ tensors }) => 'weight' in tensors && !('classifier.weight' in tensors))

/** Name of the word embeddings in a checkpoint, with or without the model's prefix. */
const storedWords = ({ wordEmbeddings: name, prefix }: Model, { tensors }: WeightsReader): string | undefined =>
  [name, ...(name.startsWith(prefix) ? [name.slice(prefix.length)] : [])].find((each) => tensors.has(each))

/** Compares the heads of the tied and the untied model with a checkpoint. */
function compare(
  tied: Model,
  untied: Model,
  isTied: boolean,
  { config, reader, name: option }: { readonly config: Config; readonly reader: WeightsReader; readonly name: Switch },
): StoredHead {
  const unchanged = { config, notes: [] }
  const head = ownHead(untied)
  const [name, words] = [head?.tensors['weight'], storedWords(tied, reader)]
  if (head === undefined || name === undefined || words === undefined) return unchanged
  const isStored = reader.tensors.has(name)
  if (isTied && isStored && !sameValues(reader, name, words)) {
    const note = `config.json ties the head to the word embeddings, but "${shortened(name, 80)}" has other values: both are kept, untied`
    // The scale of T5 depends on `tie_word_embeddings` as it is written, not on the weights.
    const scale = head.scale === tied.heads['sequence-to-sequence']?.scale ? {} : { scale_decoder_outputs: true }
    const options = configFromOptions({ [option]: !SWITCHES[option] })
    return { config: { ...config, ...options, ...scale }, notes: [note] }
  }
  const [architecture] = [config['architectures']].flat()
  if (isTied || isStored || architecture !== head.architecture) return unchanged
  const note = `config.json does not tie the head to the word embeddings, but the weights have no "${shortened(name, 80)}": the word embeddings are used, tied`
  return { config: { ...config, ...configFromOptions({ [option]: SWITCHES[option] }) }, notes: [note] }
}

/** Opens the weights of a checkpoint; undefined if it has none, which is an error only for those who load them. */
function openIfStored(path: string): WeightsReader | undefined {
  try {
    return openWeights(path)
  } catch (error) {
    if (isAttuneError(error) && error.code === 'NO_WEIGHTS_FILE') return undefined
    throw error
  }
}

/**
 * Makes `tie_word_embeddings` of a `config.json` agree with the stored weights: a head with values of its own is kept, and a head that is
 * not stored is tied to the word embeddings. An option in the run's configuration takes precedence.
 * @param path folder of the checkpoint, or its file
 * @param given instances that the plugin needs
 */
export function withStoredHead(
  plugin: AnyPlugin,
  config: Config,
  path: string,
  given: Readonly<Record<string, unknown>> = {},
): StoredHead {
  const name = switchOf(plugin)
  if (name === undefined || !existsSync(path)) return { config, notes: [] }
  const options: Options = optionsFromConfig(plugin.options, config)
  const create = (changes: Options): Model => plugin({ ...options, ...changes }, given as never) as Model
  // Sizes may allow only one of the two, for example embeddings and hidden states of different sizes.
  const variant = (value: boolean): Model | undefined =>
    plugin.options.safeParse({ ...options, [name]: value }).success ? create({ [name]: value }) : undefined
  const [tied, untied] = [variant(SWITCHES[name]), variant(!SWITCHES[name])]
  if (tied === undefined || untied === undefined) return { config, notes: [] }
  const isTied = ownHead(create({})) === undefined
  const reader = openIfStored(path)
  if (reader === undefined) return { config, notes: [] }
  try {
    return compare(tied, untied, isTied, { config, reader, name })
  } finally {
    reader.close()
  }
}
