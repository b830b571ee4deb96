import { type Model, type Objective, shortened } from '@attune/core'
import type { WeightsReader } from '@attune/weights'
import { sameValues } from '../files/same-values.js'
import { secondCopies } from './load-report.js'

/** Word embeddings that a checkpoint stores under other names than that of the model's parameter. */
export interface SharedEmbeddings {
  /** Name of the tensor to load if the usual one is missing; undefined if there is none, or several with different values. */
  readonly other: string | undefined
  /** Differences to report, one sentence each. */
  readonly notes: readonly string[]
}

/** True if the head of an objective predicts tokens, so that it may be tied to the word embeddings. */
export function predictsTokens({
  model,
  objective,
}: {
  readonly model: Pick<Model, 'heads'>
  readonly objective: Pick<Objective, 'config'>
}): boolean {
  const [own] = [objective.config['architectures']].flat()
  if (own === undefined) return false
  return Object.entries(model.heads).some(
    ([use, { architecture }]) => architecture === own && /-modeling$|^sequence-to-sequence$/.test(use),
  )
}

/**
 * Compares the word embeddings with tensors of the checkpoint that the model shares with them.
 * @param stored name of the word embeddings in the checkpoint; undefined if it has none under that name
 * @param shape shape of the model's word embeddings
 */
export function sharedEmbeddings(
  reader: WeightsReader,
  used: ReadonlySet<string>,
  stored: string | undefined,
  shape: readonly number[] | undefined,
  predicts: boolean,
): SharedEmbeddings {
  const size = stored === undefined ? shape : reader.tensors.get(stored)?.shape
  const [first, ...others] = secondCopies(reader.tensors, used, size, predicts)
  if (first === undefined) return { other: undefined, notes: [] }
  if (stored === undefined)
    return { other: others.every((name) => sameValues(reader, first, name)) ? first : undefined, notes: [] }
  const different = [first, ...others].filter((name) => !sameValues(reader, stored, name))
  const notes = different.map(
    (name) =>
      `"${shortened(name, 80)}" has other values than "${shortened(stored, 80)}", with which this model family shares it: it is not used`,
  )
  return { other: undefined, notes }
}
