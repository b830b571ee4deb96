import {
  crossEntropy,
  absoluteError,
  binaryCrossEntropy,
  binaryFocalLoss,
  binaryHingeLoss,
  cosineDistance,
  diceLoss,
  focalLoss,
  hingeLoss,
  huberLoss,
  infoNce,
  jensenShannonDivergence,
  klDivergence,
  oneHotRows,
  reverseKlDivergence,
  squaredError,
  summedHingeLoss,
  tripletLoss,
} from '@attune/nn'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { type EngineProgram, differentiated, normal } from './engine-program.js'
import { integers } from './host-array.js'

type RowLoss = readonly [name: string, ofRows: (outputs: Tensor, targets: Tensor) => Tensor]

/** Losses of logits and labels. */
const classLosses: readonly RowLoss[] = [
  ['focal', (x, labels) => focalLoss(x, labels, 2, [1, 0, 2])],
  ['hinge', hingeLoss],
  ['summed hinge', summedHingeLoss],
  ['dice', (x, y) => diceLoss(tf.softmax(x), oneHotRows(y, 3), { smooth: 1, squared: true, downWeighting: 0.5 })],
]

/** Losses of outputs and targets of the same shape; the last five compare vectors. */
const rowLosses: readonly RowLoss[] = [
  ['binary cross-entropy', (x, t) => binaryCrossEntropy(x, t, [1, 0, 2])],
  ['binary focal', (x, t) => binaryFocalLoss(x, t, 0.5, 0.25)],
  ['binary hinge', binaryHingeLoss],
  ['absolute', absoluteError],
  ['Huber', (x, t) => huberLoss(x, t, 0.5)],
  ['Kullback–Leibler', klDivergence],
  ['reverse Kullback–Leibler', (x, t) => reverseKlDivergence(x, t, 1e-7)],
  ['Jensen–Shannon', jensenShannonDivergence],
  ['squared', squaredError],
  ['cosine', cosineDistance],
  ['triplet', (x, t) => tripletLoss(x, t, { margin: 1, distance: 'euclidean', negatives: 'all' })],
  ['hardest triplet', (x, t) => tripletLoss(x, t, { margin: 1, distance: 'cosine', negatives: 'hardest' })],
  ['InfoNCE', (x, t) => infoNce(x, t, { scale: 2, symmetric: true })],
]

/** The losses of `@attune/nn`, each with gradients. */
export const lossPrograms: readonly EngineProgram[] = [
  differentiated(
    'cross-entropy with class weights',
    { x: normal(4, 3) },
    (p) => crossEntropy(p['x']!, p['labels']!, { smoothing: 0.1, classWeights: [1, 0, 2], ignoreIndex: 0 }),
    { labels: integers([2, 0, 1, 1]) },
  ),
  ...classLosses.map(([name, ofRows]) =>
    differentiated(`${name} loss`, { x: normal(4, 3) }, (p) => ofRows(p['x']!, p['labels']!), {
      labels: integers([2, 0, 1, 1]),
    }),
  ),
  ...rowLosses.map(([name, ofRows]) =>
    differentiated(`${name} loss`, { x: normal(4, 3) }, (p) => ofRows(p['x']!, tf.softmax(p['targets']!)), {
      targets: normal(4, 3),
    }),
  ),
  ...rowLosses
    .slice(-5)
    .map(([name, ofRows]) =>
      differentiated(`${name} loss of targets`, { x: normal(4, 3), targets: normal(4, 3) }, (p) =>
        ofRows(p['x']!, p['targets']!),
      ),
    ),
]
