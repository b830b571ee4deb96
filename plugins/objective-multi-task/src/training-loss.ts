import type { Batch, Losses, Model, OnDevice, ReducedLoss, TextInputs, TrainingContext } from '@attune/core'
import { modeAt, reduceLosses } from '@attune/nn'
import { type Tensor, add, addN, div, exp, gather, mul, ones, reshape, zeros } from '@tensorflow/tfjs-core'
import { type Sharing, outputsFor, squaredDistances } from './encoder.js'
import { gradNorm } from './gradnorm.js'
import { projectedLoss } from './pcgrad.js'
import { type Task, logVarianceOf, mismatch, ownBatch, ownParams, positionsOf, tasksIn } from './task.js'

/** Options of the training loss. */
export interface Training extends Sharing {
  readonly weighting: 'fixed' | 'uncertainty' | 'gradnorm'
  readonly weights: Readonly<Record<string, number>>
  readonly asymmetry: number
  readonly gradients: 'sum' | 'pcgrad'
  readonly distance: number
}

/** Losses of one task, without its weight. In a joint batch each task has its own dropout. */
function lossesOf(o: Sharing, task: Task, index: number, context: TrainingContext, batch: OnDevice<Batch>): Losses {
  const positions = positionsOf(task, batch)
  const mode = positions === undefined ? context.mode : modeAt(context.mode, index)
  const { params } = context
  const own = ownBatch(task, batch)
  const inputs = own.inputs as unknown as TextInputs
  const outputs = outputsFor(o, task, { params, inputs, mode }, (given, x, how) =>
    context.forward(x, { params: given, mode: how }),
  )
  const losses = task.objective.loss(task.objective.head(ownParams(task, params), outputs, mode, own), own)
  return positions === undefined ? losses : { ...losses, examples: examplesOf(losses, positions) }
}

/** Position of the example of each loss in a joint batch. @param positions those of the task's rows, `[rows]` */
function examplesOf({ losses: { shape }, examples }: Losses, positions: Tensor): Tensor {
  if (examples !== undefined) return reshape(gather(positions, reshape(examples, [-1]) as never), shape)
  return add(zeros(shape, 'int32'), reshape(positions, [-1, ...new Array<number>(shape.length - 1).fill(1)]))
}

/** A task's losses in proportion to those of the others. @param weight that of GradNorm */
function weighted(o: Training, { name }: Task, own: Losses, { params }: TrainingContext, weight?: Tensor): Losses {
  if (o.weighting === 'uncertainty') {
    const logVariance = params[logVarianceOf(name)]!
    return { ...own, losses: add(div(own.losses, exp(logVariance)), mul(logVariance, 0.5)) }
  }
  const fixed = Object.hasOwn(o.weights, name) ? o.weights[name]! : 1
  return { ...own, losses: mul(own.losses, weight ?? fixed) }
}

/** The losses before training, which `beforeEpoch` computed. */
function initialOf(tasks: readonly Task[], { hyper: { memory } }: TrainingContext): readonly Tensor[] {
  const sums = memory as Readonly<Record<string, ReducedLoss>> | undefined
  return tasks.map(({ name }) => {
    const own = sums?.[name]
    if (own !== undefined) return div(own.sum, own.weight)
    throw mismatch(
      'the losses before training with `weighting: gradnorm`, got none',
      'Pass the result of `beforeEpoch` to the steps, as `run` does.',
    )
  })
}

/** Terms that are added to the losses of the tasks. */
const sumOf = (terms: readonly Tensor[]): Tensor | undefined => (terms.length === 0 ? undefined : addN([...terms]))

/** The training loss of a batch: of one task, or of all tasks in a joint batch. */
export function trainingLoss(
  o: Training,
  { model, tasks }: { readonly model: Model; readonly tasks: readonly Task[] },
  context: TrainingContext,
  batch: OnDevice<Batch>,
): Losses | Record<string, Losses> {
  const present = tasksIn(tasks, batch)
  const own = (i: number): Losses => lossesOf(o, present[i]!, i, context, batch)
  const mean = (losses: Losses): Tensor => {
    const { sum, weight } = reduceLosses(losses, batch)
    return div(sum, weight)
  }
  const balanced =
    o.weighting === 'gradnorm'
      ? gradNorm(
          present,
          { params: context.params, layers: model.layers, asymmetry: o.asymmetry },
          present.map((_, i) => () => mean(own(i))),
          initialOf(present, context),
        )
      : undefined
  const each = present.map((task, i) => () => weighted(o, task, own(i), context, balanced?.weights[i]))
  const extra = sumOf([
    ...(balanced === undefined ? [] : [balanced.balance]),
    ...(o.sharing === 'soft' ? [mul(squaredDistances(tasks, context.params), o.distance)] : []),
  ])
  const plus = (losses: Losses): Losses =>
    extra === undefined ? losses : { ...losses, losses: add(losses.losses, extra) }
  if (o.gradients === 'pcgrad') {
    const loss = projectedLoss(
      context,
      each.map((losses) => () => mean(losses())),
    )
    return plus({ losses: reshape(loss, [1]), weights: ones([1]) })
  }
  return Object.fromEntries(present.map(({ name }, i) => [name, i === 0 ? plus(each[i]!()) : each[i]!()] as const))
}
