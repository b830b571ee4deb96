import { AttuneError, nearest } from '@attune/core'
import type { StoredTensor } from '@attune/weights'

/** Differences between a checkpoint's tensors and a model's parameters. */
export interface LoadReport {
  /** Newly initialized parameters that are missing from the checkpoint, except unused ones. */
  readonly fresh: readonly string[]
  /** Tensors of the checkpoint that the model does not use, except redundant ones. */
  readonly unused: readonly string[]
  /** Newly initialized parameters whose checkpoint tensor has a different shape; only for partial loading. */
  readonly misshapen: readonly string[]
  /** Parameters extended with rows for tokens that the checkpoint does not have. */
  readonly grown: readonly string[]
  /** Number of rows that these have in the saved model; undefined if there are none. */
  readonly savedRows?: number
  /** Other differences, one sentence each; absent if there are none. */
  readonly notes?: readonly string[]
}

/** A parameter and the saved tensor for it. */
export interface Match {
  readonly name: string
  readonly shape: readonly number[]
  readonly alias: string
  readonly saved: StoredTensor
}

/**
 * Redundant tensors of some checkpoints: position ids, causal masks, rotary frequencies, sinusoidal embeddings, and poolers of models
 * without one.
 */
const KNOWN_EXTRAS =
  /(^|\.)(position_ids|token_type_ids|rotary_emb\.\w+|embed_positions\.weights?|(h\.\d+\.)?attn\.(masked_)?bias|pooler\..*)$/

/** Other names of the word embeddings in checkpoints that store tied weights twice. */
const SECOND_COPIES =
  /(^|\.)(lm_head|embed_tokens|decoder|embed_out|shared|wte|lm_loss|generator_lm_head)\.(weight|bias)$/

/** True for the name of an output layer in {@link SECOND_COPIES}, in contrast to an embedding table. */
const isOutput = (name: string): boolean =>
  /(^|\.)(lm_head|decoder|embed_out|lm_loss|generator_lm_head)\.weight$/.test(name)

/**
 * Unused tensors that a checkpoint stores next to the word embeddings under another name of theirs.
 * @param predictsTokens true if the head predicts tokens, so that an output layer would be used
 */
export const secondCopies = (
  tensors: ReadonlyMap<string, StoredTensor>,
  used: ReadonlySet<string>,
  words: readonly number[] | undefined,
  predictsTokens: boolean,
): string[] =>
  [...tensors]
    .filter(([name, { shape }]) => !used.has(name) && SECOND_COPIES.test(name) && String(shape) === String(words))
    .map(([name]) => name)
    .filter((name) => predictsTokens || !isOutput(name))

/** Tensors of a checkpoint that a model does not use, except redundant ones. */
export function unusedTensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  used: ReadonlySet<string>,
  words: readonly number[] | undefined,
): string[] {
  const isCopy = (name: string, { shape }: StoredTensor): boolean =>
    words !== undefined && SECOND_COPIES.test(name) && String(shape) === String(words.slice(0, shape.length))
  return [...tensors]
    .filter(([name, stored]) => !used.has(name) && !KNOWN_EXTRAS.test(name) && !isCopy(name, stored))
    .map(([name]) => name)
}

const SHOWN = 5
/** Limits of the search for similar names, which bound its time for malicious files. */
const SEARCHED = { names: 1000, letters: 120 }

/** Formats the first items of a list for a message. */
const firstOf = (items: readonly string[]): string =>
  `${items.slice(0, SHOWN).join(', ')}${items.length > SHOWN ? `, and ${items.length - SHOWN} more` : ''}`

const short = (name: string): string => (name.length > SEARCHED.letters ? `${name.slice(0, SEARCHED.letters)}…` : name)

/** A name with the nearest other name, if one is similar. */
function withNearest(name: string, others: readonly string[]): string {
  const candidates = others.filter(({ length }) => length <= SEARCHED.letters).slice(0, SEARCHED.names)
  const [near] = name.length > SEARCHED.letters ? [] : nearest(name, candidates)
  return near === undefined ? short(name) : `${name} (nearest: ${near})`
}

/** Adds the nearest other name to the first names of a list. */
const withNearests = (names: readonly string[], others: readonly string[]): string[] => [
  ...names.slice(0, SHOWN).map((name) => withNearest(name, others)),
  ...names.slice(SHOWN),
]

/** Returns the error for missing parameters, with the unused tensors of the checkpoint. */
export function missingWeights(where: string, lost: readonly string[], unused: readonly string[]): AttuneError {
  return new AttuneError(
    'MISSING_WEIGHTS',
    `${where} lacks ${lost.length} of the model's parameters: ${firstOf(withNearests(lost, unused))}`,
    `Load a checkpoint of the same architecture${unused.length > 0 ? `. This checkpoint also has: ${firstOf(unused.map(short))}` : ''}.`,
  )
}

/** Formats missing parameters and unused tensors, as an addition to shape errors. */
function otherDifferences(lost: readonly string[], unused: readonly string[]): string {
  const lacks =
    lost.length === 0 ? '' : `; it lacks ${lost.length} of the parameters: ${firstOf(withNearests(lost, unused))}`
  const has = unused.length === 0 ? '' : `; it also has ${unused.length} unused: ${firstOf(unused.map(short))}`
  return lacks + has
}

/** Returns the error for mismatched shapes, with missing parameters and unused tensors. */
export function mismatchedShapes(
  where: string,
  matches: readonly Match[],
  lost: readonly string[],
  unused: readonly string[],
): AttuneError {
  const mismatches = matches.map(
    ({ name, shape, saved }) => `"${name}": expected shape [${shape.join(', ')}], got [${saved.shape.join(', ')}]`,
  )
  return new AttuneError(
    'SHAPE_MISMATCH',
    `${where}: ${firstOf(mismatches)}${otherDifferences(lost, unused)}`,
    'Use the options of the saved model (remove sizes), or the labels it was trained with.',
  )
}

/** Warnings about a loaded model, one sentence each. */
export function warningsOf({ fresh, misshapen, unused, grown, notes = [] }: LoadReport): readonly string[] {
  const made = [...fresh, ...misshapen]
  return [
    ...(made.length > 0 ? [`newly initialized weights, missing from the saved model: ${firstOf(made)}`] : []),
    ...(unused.length > 0
      ? [`unused tensors of the saved model (${unused.length}): ${firstOf(unused.map(short))}`]
      : []),
    ...(grown.length > 0 ? [`newly initialized rows for added tokens: ${firstOf(grown)}`] : []),
    ...notes,
  ]
}
