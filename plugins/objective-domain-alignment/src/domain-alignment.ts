import { LOSS, MODEL, OBJECTIVE, type Objective, TOKENIZER, definePlugin, scheduled, use } from '@attune/core'
import { domainItems, domainOptions, sourceRows } from '@attune/data'
import {
  type ObjectiveNeeds,
  correlationAlignment,
  createNested,
  fitNested,
  labelFields,
  maskLosses,
  maximumMeanDiscrepancy,
  requireOneRowEach,
} from '@attune/nn'
import { type Tensor, mul, onesLike } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const options = z.strictObject({
  task: use(OBJECTIVE)
    .meta({ labels: 'optional' })
    .describe('Objective that trains on the labels of the source: `{ use: sequence-classification }`'),
  ...domainOptions,
  distance: z
    .enum(['mmd', 'coral'])
    .default('mmd')
    .describe('Maximum mean discrepancy with Gaussian kernels, or the distance of the covariances (CORAL)'),
  strength: scheduled(z.number().min(0).max(10_000).default(1)).describe('Factor on the distance'),
  bandwidths: z
    .array(z.number().positive())
    .min(1)
    .default([0.25, 0.5, 1, 2, 4])
    .describe('Bandwidths of the kernels of mmd, as factors of the mean squared distance in the batch'),
})

type Options = z.output<typeof options>

function create(o: Options, given: ObjectiveNeeds): Objective {
  const task: Objective = createNested(o.task, given)
  const loss: Objective['loss'] = (head, batch) => maskLosses(task.loss(head, batch), batch['isLabelled'] as Tensor)
  const distanceOf = (x: Tensor, isSource: Tensor): Tensor =>
    o.distance === 'coral' ? correlationAlignment(x, isSource) : maximumMeanDiscrepancy(x, isSource, o.bandwidths)
  return {
    ...task,
    ...domainItems(task, { ...o, labels: labelFields(o.task) }),
    comparesExamples: true,
    loss,
    trainingLoss({ params, mode, forward }, batch) {
      const outputs = forward(batch.inputs)
      const isSource = requireOneRowEach(outputs.pooled, batch['isSource'] as Tensor, 'domain-alignment')
      const weights = onesLike(isSource)
      const losses = mul(weights, mul(o.strength, distanceOf(outputs.pooled, isSource)))
      const own = loss(task.head(params, outputs, mode, batch), batch)
      return { distance: { losses, weights }, task: own }
    },
  }
}

/**
 * Domain alignment: a task is learned on the labelled rows of a source domain, while the pooled outputs of the model get the same
 * distribution in the source domain and in the target domain, whose rows need no labels.
 *
 *     loss = L_task(source) + strength · distance(source, target)
 *
 * The distance is the maximum mean discrepancy with a mean of Gaussian kernels, or that of the covariances (CORAL). It compares the rows of a
 * batch, which must hold both domains. Near neighbour: domain-adversarial learns the distance by a classifier of the domains. Evaluation
 * and predictions are those of the task.
 */
export const domainAlignment = definePlugin({
  kind: OBJECTIVE,
  name: 'domain-alignment',
  summary: 'Domain alignment: the features of two domains get the same distribution (MMD, CORAL)',
  source:
    'Gretton et al., A Kernel Two-Sample Test, 2012, equation 5; Long et al., Deep Adaptation Networks, 2015; Sun and Saenko, Deep CORAL, 2016, equation 1',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  fit: async (o, examples, ...rest) => ({
    ...o,
    task: await fitNested(o.task, () => sourceRows(examples(), o), ...rest),
  }),
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective domain-alignment': typeof domainAlignment
  }
}

export default domainAlignment
