import { AttuneError, nearest } from '@attune/core'
import type { StoredTensor } from '@attune/weights'

/** What became of a checkpoint's tensors and of a model's parameters. */
export interface LoadReport {
  /** Parameters that are new, because the checkpoint did not have them, without those that nothing reads. */
  readonly fresh: readonly string[]
  /** Tensors that the model has no use for, without those that hold nothing of their own. */
  readonly unused: readonly string[]
  /** Parameters that are new, because the checkpoint's tensor has another shape; only where part of one may be loaded. */
  readonly misshapen: readonly string[]
  /** Parameters that got rows for tokens that the checkpoint does not have. */
  readonly grown: readonly string[]
}

/** A parameter, and the tensor that is to take its place. */
export interface Match {
  readonly name: string
  readonly shape: readonly number[]
  readonly alias: string
  readonly saved: StoredTensor
}

/**
 * What some checkpoints hold beside the weights: places, causal masks, wavelengths of rotary positions, sinusoids, and what
 * makes a vector of a whole text where the model has nothing of the kind.
 */
const KNOWN_EXTRAS =
  /(^|\.)(position_ids|token_type_ids|rotary_emb\.\w+|embed_positions\.weights?|(h\.\d+\.)?attn\.(masked_)?bias|pooler\..*)$/

/** The word embeddings under the other names of a checkpoint that holds what is shared twice. */
const SECOND_COPIES =
  /(^|\.)(lm_head|embed_tokens|decoder|embed_out|shared|wte|lm_loss|generator_lm_head)\.(weight|bias)$/

/** The tensors that have no place in a model and may have held something that it lacks now. */
export function unexpected(
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
/** Names beyond so many, or longer, are not looked through for a near one: a hostile file would make it take for ever. */
const LOOKED_AT = { names: 1000, letters: 120 }

/** The first few of a list for a message. */
const firstOf = (items: readonly string[]): string =>
  `${items.slice(0, SHOWN).join(', ')}${items.length > SHOWN ? `, and ${items.length - SHOWN} more` : ''}`

const short = (name: string): string =>
  name.length > LOOKED_AT.letters ? `${name.slice(0, LOOKED_AT.letters)}…` : name

/** A name with the nearest among others, if one is near. */
function withNearest(name: string, others: readonly string[]): string {
  const candidates = others.filter(({ length }) => length <= LOOKED_AT.letters).slice(0, LOOKED_AT.names)
  const [near] = name.length > LOOKED_AT.letters ? [] : nearest(name, candidates)
  return near === undefined ? short(name) : `${name} (nearest: ${near})`
}

/** The first names with the nearest among others. */
const withNearests = (names: readonly string[], others: readonly string[]): string[] => [
  ...names.slice(0, SHOWN).map((name) => withNearest(name, others)),
  ...names.slice(SHOWN),
]

/** What the model needs and the checkpoint lacks, and what it has instead. */
export function missing(where: string, lost: readonly string[], unused: readonly string[]): AttuneError {
  return new AttuneError(
    'MISSING_WEIGHTS',
    `${where} lacks ${lost.length} of the model's parameters: ${firstOf(withNearests(lost, unused))}`,
    `Load a checkpoint of the same architecture${unused.length > 0 ? `; this one has, besides: ${firstOf(unused.map(short))}` : ''}.`,
  )
}

/** What else does not fit, after what is wrong with shapes. */
function besides(lost: readonly string[], unused: readonly string[]): string {
  const lacks =
    lost.length === 0 ? '' : `; it lacks ${lost.length} of the parameters: ${firstOf(withNearests(lost, unused))}`
  const has = unused.length === 0 ? '' : `; it has besides (${unused.length}): ${firstOf(unused.map(short))}`
  return lacks + has
}

/** What has another shape, and what else does not fit: it tells where the two models differ. */
export function wrongShapes(
  where: string,
  matches: readonly Match[],
  lost: readonly string[],
  unused: readonly string[],
): AttuneError {
  const told = matches.map(
    ({ name, shape, saved }) =>
      `"${name}" has shape [${saved.shape.join(', ')}], and the model needs [${shape.join(', ')}]`,
  )
  return new AttuneError(
    'SHAPE_MISMATCH',
    `${where}: ${firstOf(told)}${besides(lost, unused)}`,
    'Use the options of the saved model (leave sizes out), or the labels it was trained with.',
  )
}

/** What the owner of a model should know of how it was loaded, a sentence each. */
export function warningsOf({ fresh, misshapen, unused, grown }: LoadReport): readonly string[] {
  const made = [...fresh, ...misshapen]
  return [
    ...(made.length > 0 ? [`new weights, not in the saved model: ${firstOf(made)}`] : []),
    ...(unused.length > 0
      ? [`the saved model has tensors that have no place in this one (${unused.length}): ${firstOf(unused.map(short))}`]
      : []),
    ...(grown.length > 0 ? [`rows for new tokens, made beside those of the saved model: ${firstOf(grown)}`] : []),
  ]
}
