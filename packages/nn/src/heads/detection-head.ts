import type { Head, Key, Model, Params } from '@attune/core'
import { deriveKey } from '@attune/core'
import { type Tensor, reshape } from '@tensorflow/tfjs-core'
import { activation } from '../layers/activation.js'
import { filledWith, normal } from '../layers/initialise.js'
import { linear } from '../layers/linear.js'
import { headFor, headTensors, toCheckpointNames } from './head.js'

/** The family's head for replaced token detection, or one with ELECTRA's names, which other libraries read without it. */
export function detectionHead(model: Model): Head {
  if ('replaced-token-detection' in model.heads) return headFor(model, 'replaced-token-detection')
  const { architecture } = model.heads['contrastive'] ?? headFor(model, 'masked-language-modeling')
  const at = 'discriminator_predictions'
  const names = ['weight', 'bias'].flatMap((each) => [
    [`dense.${each}`, `${at}.dense.${each}`],
    [`out.${each}`, `${at}.dense_prediction.${each}`],
  ])
  return { architecture, tensors: Object.fromEntries(names) as Head['tensors'] }
}

/** Initial parameters of {@link detectionHead}: random weights, and biases 0. */
export const initialDetectionHead = ({ hiddenSize: width, initializerRange }: Model, head: Head, key: Key): Params =>
  toCheckpointNames(head, {
    'dense.weight': normal(deriveKey(key, 'dense'), [width, width], initializerRange),
    'dense.bias': filledWith([width], 0),
    'out.weight': normal(deriveKey(key, 'out'), [1, width], initializerRange),
    'out.bias': filledWith([1], 0),
  })

/** Logits that a token was replaced: hidden states `[rows, length, hidden]` to `[rows, length]`. */
export function detectionLogits(head: Head, params: Params, states: Tensor): Tensor {
  const own = headTensors(head, params)
  const active = activation(head.activation ?? 'gelu')(linear(own, 'dense', states))
  return reshape(linear(own, 'out', active), states.shape.slice(0, 2))
}
