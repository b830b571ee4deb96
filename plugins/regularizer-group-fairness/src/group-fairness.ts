import { AttuneError, type LossCall, REGULARIZER, definePlugin, isTensor, scheduled } from '@attune/core'
import { fieldHash } from '@attune/data'
import { classLogits } from '@attune/nn'
import {
  type Tensor,
  abs,
  add,
  addN,
  cast,
  div,
  equal,
  expandDims,
  matMul,
  maximum,
  mean,
  minimum,
  mul,
  scalar,
  softmax,
  square,
  stack,
  sub,
  sum,
} from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** A tensor of the batch: the hashed group of each text, or its label, int32 `[batch]`. */
function required(found: unknown, what: string, remedy: string): Tensor {
  if (isTensor(found)) return found
  throw new AttuneError('REGULARIZER_MISMATCH', `regularizer group-fairness: expected ${what}, got none`, remedy)
}

const groupsOf = ({ batch }: LossCall, by: string): Tensor =>
  required(
    (batch['fields'] as Readonly<Record<string, Tensor>> | undefined)?.[by],
    `the field "${by}" in the batches`,
    'Train with a run, a learner or `epochBatches` on items that keep the field.',
  )

/** Members of each group, `[groups, batch]`: 1 for the texts of the group, else 0. */
const membersOf = (hashes: Tensor, groups: readonly string[]): Tensor =>
  cast(stack(groups.map((name) => equal(hashes, scalar(fieldHash(name), 'int32')))), 'float32')

/**
 * Mean over pairs of groups of the squared gap of their mean scores beyond `target`, averaged over the classes. A pair without texts of both
 * groups is left out. `members` are the groups' texts, `[groups, batch]`; `scores` are `[batch, classes]`.
 */
function gaps(members: Tensor, scores: Tensor, target: Tensor | number): Tensor {
  const counts = sum(members, 1) // [groups]
  const present = minimum(counts, 1)
  const means = div(matMul(members, scores), expandDims(maximum(counts, 1), 1)) // [groups, classes]
  const apart = abs(sub(expandDims(means, 0), expandDims(means, 1))) // [groups, groups, classes]
  const excess = mean(square(maximum(sub(apart, target), 0)), -1)
  const pairs = mul(expandDims(present, 0), expandDims(present, 1)) // a group with itself has no gap
  const count = sub(sum(pairs), sum(present))
  return div(sum(mul(excess, pairs)), maximum(count, 1))
}

/** Mean over the labels of a term of the texts that have it, given as `[1, batch]`. */
const ofEachLabel = (labels: Tensor, classes: number, term: (own: Tensor) => Tensor): Tensor =>
  div(
    addN(
      Array.from({ length: classes }, (_, c) =>
        term(expandDims(cast(equal(labels, scalar(c, 'int32')), 'float32'), 0)),
      ),
    ),
    classes,
  )

/**
 * Group fairness: penalizes differences of the predicted probabilities between groups of examples.
 *
 *     loss ← loss + strength · mean over pairs of groups and classes of max(0, |s̄ₐ − s̄_b| − target)²
 *
 * s̄ is the mean probability of a class over the texts of a group in the batch. `demographic-parity` compares all texts; `equalized-odds`
 * compares those of each label, and averages over the labels. The textbook term s̄ₐ − s̄_b is signed: minimizing it rewards an opposite
 * gap without end. The squared gap has its minimum at the target. Means over a batch are noisy: use large batches
 * with all groups, which are never split into micro-batches. For the logits of a classifier of texts.
 */
export const groupFairness = definePlugin({
  kind: REGULARIZER,
  name: 'group-fairness',
  summary: 'Penalty on differences of the predictions between groups',
  source:
    'Calders and Verwer, Three Naive Bayes Approaches for Discrimination-Free Classification, 2010 (demographic parity); Hardt, Price and Srebro, Equality of Opportunity in Supervised Learning, 2016, definition 2.1 (equalized odds)',
  options: z.strictObject({
    by: z.string().min(1).meta({ field: 'any' }).describe('Field with the group of an example'),
    groups: z.array(z.string()).min(2).describe('Values of the field to compare; other values are not compared'),
    criterion: z
      .enum(['demographic-parity', 'equalized-odds'])
      .default('demographic-parity')
      .describe('Equal predictions between groups: over all texts, or over the texts of each label'),
    strength: scheduled(z.number().min(0).max(1e6).default(1)).describe('Factor on the mean squared gap'),
    target: scheduled(z.number().min(0).max(1).default(0)).describe('Gap of the mean probabilities that is tolerated'),
  }),
  create: ({ by, groups, criterion, strength, target }) => ({
    comparesExamples: true,
    wrap: (loss) => (call) => {
      if (!call.mode.training) return loss(call)
      const plain = loss(call)
      const scores = softmax(classLogits(plain.head, 'group-fairness'))
      const members = membersOf(groupsOf(call, by), groups)
      const labels = (): Tensor =>
        required(call.batch['labels'], 'labels in the batches', 'Use criterion: demographic-parity.')
      const penalized =
        criterion === 'demographic-parity'
          ? gaps(members, scores, target)
          : ofEachLabel(labels(), scores.shape[1]!, (own) => gaps(mul(members, own), scores, target))
      return { ...plain, sum: add(plain.sum, mul(mul(strength, penalized), plain.weight)) }
    },
  }),
})

declare module '@attune/core' {
  interface NamedPlugins {
    'regularizer group-fairness': typeof groupFairness
  }
}

export default groupFairness
