import { AttuneError, type Head, type Key, type Model, type Params, nearest } from '@attune/core'
import { filledWith, normal } from '../layers/initialise.js'
import { parameter } from '../layers/parameter.js'

/**
 * How the model's family holds the head for an objective.
 * @throws AttuneError `NO_SUCH_HEAD` if the family has none, with those that it has.
 */
export function headFor(model: Model, objective: string): Head {
  const head = Object.hasOwn(model.heads, objective) ? model.heads[objective] : undefined
  if (head !== undefined) return head
  const names = Object.keys(model.heads)
  const near = nearest(objective, names)
  throw new AttuneError(
    'NO_SUCH_HEAD',
    `models of type "${String(model.config['model_type'])}" have no head for the objective ${objective}`,
    `They have one for ${(near.length > 0 ? near : names).join(', ') || 'none'}; use that, or another model.`,
  )
}

/** A classification head, a linear layer that checkpoints name `classifier`. @param architecture the class that reads it */
export const classifierHead = (architecture: string): Head => ({
  architecture,
  tensors: { 'classifier.weight': 'classifier.weight', 'classifier.bias': 'classifier.bias' },
})

/** New tensors of a head by the objective's names, under the checkpoint's; those that the family does not have fall away. */
export const toCheckpointNames = (head: Head, tensors: Params): Params =>
  Object.fromEntries(
    Object.entries(head.tensors)
      .filter(([name]) => Object.hasOwn(tensors, name))
      .map(([name, theirs]) => [theirs, tensors[name]!]),
  )

/** The head's tensors among all parameters, by the objective's names. @throws AttuneError `MISSING_PARAMETER`. */
export const headTensors = ({ tensors }: Head, params: Params): Params =>
  Object.fromEntries(Object.entries(tensors).map(([name, theirs]) => [name, parameter(params, theirs)]))

/** A new last layer that tells `labels` apart, by the names that objectives use. */
export const initialClassifier = ({ hiddenSize, initializerRange }: Model, labels: number, key: Key): Params => ({
  'classifier.weight': normal(key, [labels, hiddenSize], initializerRange),
  'classifier.bias': filledWith([labels], 0),
})
