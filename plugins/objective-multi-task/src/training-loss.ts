import type { Batch, Losses, Model, OnDevice, TrainingContext } from '@attune/core'
import {
  type TaskObjective,
  atPositions,
  batchOfTask,
  gradNorm,
  meanTaskLosses,
  modeAt,
  taskPositions,
  projectedLoss,
  reduceLosses,
  squaredDifferences,
  tasksIn,
  weightByUncertainty,
} from '@attune/nn'
import { type Tensor, add, addN, div, mul, ones, reshape } from '@tensorflow/tfjs-core'
import { type Sharing, headOf } from './encoder.js'
import { isShared, weightOf } from './task.js'

/** Options of the training loss. */
export interface Training extends Sharing {
  readonly weighting: 'fixed' | 'uncertainty' | 'gradnorm'
  readonly weights: Readonly<Record<string, number>>
  readonly asymmetry: number | Tensor
  readonly gradients: 'sum' | 'pcgrad'
  readonly distance: number | Tensor
}

/** Losses of one task, without its weight. In a joint batch each task has its own dropout. */
function lossesOf(o: Sharing, task: TaskObjective, index: number, context: TrainingContext, batch: OnDevice<Batch>) {
  const positions = taskPositions(task, batch)
  const mode = positions === undefined ? context.mode : modeAt(context.mode, index)
  const head = headOf(o, task, { params: context.params, mode, batch }, (params, inputs, how) =>
    context.forward(inputs, { params, mode: how }),
  )
  const losses = task.objective.loss(head, batchOfTask(task, batch))
  return positions === undefined ? losses : atPositions(losses, positions)
}

/** A task's losses in proportion to those of the others. @param weight that of GradNorm */
function weighted(o: Training, name: string, own: Losses, { params }: TrainingContext, weight?: Tensor): Losses {
  if (o.weighting === 'uncertainty') return weightByUncertainty(own, params[weightOf('uncertainty', name)]!)
  const fixed = Object.hasOwn(o.weights, name) ? o.weights[name]! : 1
  return { ...own, losses: mul(own.losses, weight ?? fixed) }
}

/** The mean loss of a batch, `[]`. */
function meanOf(losses: Losses, batch: OnDevice<Batch>): Tensor {
  const { sum, weight } = reduceLosses(losses, batch)
  return div(sum, weight)
}

/** The training loss of a batch: of one task, or of all tasks in a joint batch. */
export function trainingLoss(
  o: Training,
  { model, tasks }: { readonly model: Model; readonly tasks: readonly TaskObjective[] },
  context: TrainingContext,
  batch: OnDevice<Batch>,
): Losses | Record<string, Losses> {
  const { params } = context
  const present = tasksIn(tasks, batch)
  const own = present.map((task, i) => () => lossesOf(o, task, i, context, batch))
  const means = own.map((losses) => () => meanOf(losses(), batch))
  const balanced =
    o.weighting === 'gradnorm'
      ? gradNorm(means, {
          shared: Object.fromEntries(Object.entries(context.trainable).filter(([name]) => isShared(name))),
          layers: model.layers,
          learned: present.map(({ name }) => params[weightOf('gradnorm', name)]!),
          initial: meanTaskLosses(present, context.hyper.memory),
          asymmetry: o.asymmetry,
        })
      : undefined
  const each = present.map((task, i) => () => weighted(o, task.name, own[i]!(), context, balanced?.weights[i]))
  const extra = [
    ...(balanced === undefined ? [] : [balanced.balance]),
    ...(o.sharing === 'soft' ? [mul(squaredDifferences(params, tasks), o.distance)] : []),
  ]
  const plus = (losses: Losses): Losses =>
    extra.length === 0 ? losses : { ...losses, losses: add(losses.losses, addN(extra)) }
  if (o.gradients === 'pcgrad') {
    const weightedMeans = each.map((losses) => () => meanOf(losses(), batch))
    const loss = projectedLoss(weightedMeans, context.trainable, isShared, context.mode)
    return plus({ losses: reshape(loss, [1]), weights: ones([1]) })
  }
  return Object.fromEntries(present.map(({ name }, i) => [name, i === 0 ? plus(each[i]!()) : each[i]!()] as const))
}
