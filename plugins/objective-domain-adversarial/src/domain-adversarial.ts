import {
  type Key,
  LOSS,
  MODEL,
  OBJECTIVE,
  type Objective,
  type Params,
  TOKENIZER,
  definePlugin,
  deriveKey,
  scheduled,
  use,
} from '@attune/core'
import { domainItems, domainOptions, sourceRows } from '@attune/data'
import {
  type ObjectiveNeeds,
  binaryCrossEntropy,
  createNested,
  filledWith,
  fitNested,
  labelFields,
  linear,
  maskLosses,
  normal,
  requireOneRowEach,
  reverseGradient,
} from '@attune/nn'
import { type Tensor, onesLike, relu, reshape } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const options = z.strictObject({
  task: use(OBJECTIVE)
    .meta({ labels: 'optional' })
    .describe('Objective that trains on the labels of the source: `{ use: sequence-classification }`'),
  ...domainOptions,
  strength: scheduled(z.number().min(0).max(1000).default(1)).describe('Factor λ on the reversed gradient'),
  hiddenSize: z.int().positive().default(100).describe('Hidden size of the domain classifier'),
})

type Options = z.output<typeof options>

/** Initial parameters of the domain classifier, as torch initializes linear layers for ReLU (Kaiming). */
const initialClassifier = (key: Key, width: number, hidden: number): Params => ({
  'domain.dense.weight': normal(deriveKey(key, 'domain.dense'), [hidden, width], Math.sqrt(2 / width)),
  'domain.dense.bias': filledWith([hidden], 0),
  'domain.out.weight': normal(deriveKey(key, 'domain.out'), [1, hidden], Math.sqrt(1 / hidden)),
  'domain.out.bias': filledWith([1], 0),
})

/** Logits of the source domain, `[batch, 1]`, from vectors `[batch, hidden]`. */
const domainLogits = (params: Params, x: Tensor): Tensor =>
  linear(params, 'domain.out', relu(linear(params, 'domain.dense', x)))

function create(o: Options, given: ObjectiveNeeds): Objective {
  const task: Objective = createNested(o.task, given)
  const loss: Objective['loss'] = (head, batch) => maskLosses(task.loss(head, batch), batch['isLabelled'] as Tensor)
  return {
    ...task,
    ...domainItems(task, { ...o, labels: labelFields(o.task) }),
    init: (key) => ({ ...task.init(key), ...initialClassifier(key, given.model.hiddenSize, o.hiddenSize) }),
    loss,
    trainingLoss({ params, mode, forward }, batch) {
      const outputs = forward(batch.inputs)
      const isSource = requireOneRowEach(outputs.pooled, batch['isSource'] as Tensor, 'domain-adversarial')
      const logits = domainLogits(params, reverseGradient(outputs.pooled, o.strength))
      const domain = binaryCrossEntropy(logits, reshape(isSource, [-1, 1]))
      return {
        domain: { losses: domain, weights: onesLike(domain) },
        task: loss(task.head(params, outputs, mode, batch), batch),
      }
    },
  }
}

/**
 * Domain-adversarial training (DANN): a task is learned on the labelled rows of a source domain, with features that do not reveal if a
 * row is of the source or of the target domain, whose rows need no labels. A domain classifier, a network with one hidden layer on the
 * model's pooled output, learns to distinguish them; its gradient reaches the model with the opposite sign.
 *
 *     domain classifier:  minimizes L_domain
 *     task head:          minimizes L_task
 *     model:              minimizes L_task − λ · L_domain,  λ = strength
 *
 * The model maximizes the loss of the domain classifier; some textbooks print λ · L_domain with a plus for the model too, which would make
 * the domains easier to distinguish. λ applies to the model only, as in the paper's experiments, where it rises from 0 to 1 with the fraction
 * of steps done: `schedule: { objective.strength: { use: logistic, from: 0, to: 1 } }`. Evaluation and predictions are those of the task.
 */
export const domainAdversarial = definePlugin({
  kind: OBJECTIVE,
  name: 'domain-adversarial',
  summary: 'Domain-adversarial training (DANN): features that do not reveal the domain of a text',
  source:
    'Ganin et al., Domain-Adversarial Training of Neural Networks, 2016, section 4.2, equations 13 to 18, and section 5.2.2',
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
    'objective domain-adversarial': typeof domainAdversarial
  }
}

export default domainAdversarial
