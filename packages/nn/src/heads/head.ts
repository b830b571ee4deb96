import { AttuneError, type Head, type Key, type Model, type Params, nearest } from '@attune/core'
import { filledWith, normal } from '../layers/initialise.js'
import { parameter } from '../layers/parameter.js'

/**
 * Returns the head of the model's family for an objective.
 * @throws AttuneError `NO_SUCH_HEAD` if the family has none, with the existing ones
 */
export function headFor(model: Model, objective: string): Head {
  const head = Object.hasOwn(model.heads, objective) ? model.heads[objective] : undefined
  if (head !== undefined) return head
  const names = Object.keys(model.heads)
  const near = nearest(objective, names)
  throw new AttuneError(
    'NO_SUCH_HEAD',
    `models of type "${String(model.config['model_type'])}" have no head for the objective ${objective}`,
    `Use another model, or an objective that this one supports: ${(near.length > 0 ? near : names).join(', ') || 'none'}.`,
  )
}

/**
 * Head of one linear layer. @param architecture the class that reads it
 * @param layer name of the layer in checkpoints; default: `classifier`
 */
export const classifierHead = (architecture: string, layer = 'classifier'): Head => ({
  architecture,
  tensors: { 'classifier.weight': `${layer}.weight`, 'classifier.bias': `${layer}.bias` },
})

/**
 * Masked-language-modeling head: a linear layer, an activation and a norm before the product with the word embeddings, to which a bias is
 * added. @param architecture the class that reads it
 * @param names names in checkpoints of the linear layer, of the norm and of the bias
 * @param settings the other members of the head
 */
export const maskedTokenHead = (
  architecture: string,
  names: { readonly dense: string; readonly norm: string; readonly bias: string },
  settings: Omit<Head, 'architecture' | 'tensors'>,
): Head => ({
  architecture,
  tensors: {
    'dense.weight': `${names.dense}.weight`,
    'dense.bias': `${names.dense}.bias`,
    'norm.weight': `${names.norm}.weight`,
    'norm.bias': `${names.norm}.bias`,
    bias: names.bias,
  },
  ...settings,
})

/**
 * Renames new tensors of a head from the objective's to the checkpoint's names; drops those that the family does not
 * have.
 */
export const toCheckpointNames = (head: Head, tensors: Params): Params =>
  Object.fromEntries(
    Object.entries(head.tensors)
      .filter(([name]) => Object.hasOwn(tensors, name))
      .map(([name, theirs]) => [theirs, tensors[name]!]),
  )

/** Returns the head's tensors by the objective's names. @throws AttuneError `MISSING_PARAMETER` */
export const headTensors = ({ tensors }: Head, params: Params): Params =>
  Object.fromEntries(Object.entries(tensors).map(([name, theirs]) => [name, parameter(params, theirs)]))

/** Initial classification layer for `labels` labels, by the objective's names. */
export const initialClassifier = ({ hiddenSize, initializerRange }: Model, labels: number, key: Key): Params => ({
  'classifier.weight': normal(key, [labels, hiddenSize], initializerRange),
  'classifier.bias': filledWith([labels], 0),
})
