import { LOSS, type LossTerm, definePlugin, isTensor, scheduled } from '@attune/core'
import {
  type Tensor,
  add,
  div,
  exp,
  keep,
  log,
  mean,
  mul,
  neg,
  range,
  scalar,
  square,
  sub,
  sum,
  zeros,
} from '@tensorflow/tfjs-core'
import { stopGradient } from '@attune/nn'
import { z } from 'zod'
import { describeLoss } from '../describe-loss.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Losses = LossTerm['losses']

/** Half the squared difference. */
const squared = definePlugin({
  kind: LOSS,
  name: 'squared',
  summary: 'Half the squared difference',
  options: z.strictObject({ scale: z.number().positive().max(9).default(1).describe('Factor of the loss') }),
  create: ({ scale }): LossTerm => ({
    compares: 'numbers',
    losses: (outputs, targets) => mul(square(sub(outputs, targets)), scale / 2),
  }),
})

const golden = {
  source: 'arithmetic',
  cases: [
    {
      options: { scale: 2 },
      outputs: { shape: [2], values: [1, -1] },
      targets: { shape: [2], values: [3, -1] },
      expected: [4, 0],
      gradient: { shape: [2], values: [-4, 0] },
    },
  ],
}
const suite = (change: (losses: Losses) => Losses) => (): void =>
  describeLoss(
    altered<LossTerm>(squared, ({ compares, losses }) => ({ compares, losses: change(losses) })),
    { golden },
  )

const rows = 'returns one finite loss per row, the same for the same rows, and frees all other tensors'
const apart = 'does not depend on other rows, or for pairs on their order'
const finite = 'returns finite losses and gradients for outputs of ±10⁴'
const empty = 'returns no losses for no rows, and one for one row'
const slope = 'matches the gradient by finite differences'
const agrees = 'agrees with arithmetic, case 1: {"scale":2}'

/** Half the squared distance of pairs, changed. */
const pairs = (change: (losses: Tensor) => Tensor) => (): void =>
  describeLoss(
    altered<LossTerm>(squared, ({ losses: each }) => ({
      compares: 'pairs',
      losses: (outputs: Tensor, targets: Tensor): Tensor => change(sum(each(outputs, targets), 1)),
    })),
  )

/** Increases the loss at every call, across instances. */
const growing = (): ((losses: Losses) => Losses) => {
  let calls = 0
  return (losses) => (outputs, targets) =>
    outputs.shape[0] === 2 ? losses(outputs, targets) : add(losses(outputs, targets), calls++)
}

/** Leaks a tensor. */
const leaking: (losses: Losses) => Losses = (losses) => (outputs, targets) => {
  keep(scalar(1))
  return losses(outputs, targets)
}

const program = 'needs one program for two values of scale, with the results of the numbers'

/** Half the squared difference, with a scale that can be scheduled, as `read` returns it. */
const scheduledScale = (read: (scale: number | Tensor) => number | Tensor) => (): void =>
  describeLoss(
    definePlugin({
      kind: LOSS,
      name: 'scheduled',
      summary: 'Half the squared difference',
      options: z.strictObject({
        scale: scheduled(z.number().positive().max(9).default(1)).describe('Factor of the loss'),
      }),
      create: ({ scale }): LossTerm => ({
        compares: 'numbers',
        losses: (outputs, targets) => mul(square(sub(outputs, targets)), div(read(scale), 2)),
      }),
    }),
  )

/** Loss specimens. */
export const losses: readonly Specimen[] = [
  valid('the squared difference', () => describeLoss(squared, { golden })),
  valid(
    'a loss with a scheduled option',
    scheduledScale((scale) => scale),
  ),
  broken(
    'reads a scheduled option on the host',
    [program],
    scheduledScale((scale) => (isTensor(scale) ? scale.dataSync()[0]! : scale)),
  ),
  broken(
    'does not use the values of a schedule',
    [program],
    scheduledScale((scale) => (isTensor(scale) ? 1 : scale)),
  ),
  broken(
    'returns the sum over all rows',
    [rows, apart, empty, agrees],
    suite((given) => (outputs, targets) => sum(given(outputs, targets))),
  ),
  broken(
    'returns the mean instead of the loss of each row',
    [apart, agrees],
    suite((given) => (outputs, targets) => {
      const each = given(outputs, targets)
      return add(mul(each, 0), mean(each))
    }),
  ),
  broken(
    'returns the logarithm of a negative number',
    [rows, apart, slope, finite, empty],
    suite(
      (given) => (outputs, targets) =>
        outputs.shape[0] === 2 ? given(outputs, targets) : log(neg(given(outputs, targets))),
    ),
  ),
  broken('increases at every call', [rows, apart, slope], suite(growing())),
  broken(
    'overflows for large outputs',
    [finite],
    suite((given) => (outputs, targets) => mul(given(outputs, targets), div(exp(outputs), exp(outputs)))),
  ),
  broken(
    'returns a loss for no rows',
    [empty],
    suite((given) => (outputs, targets) => (outputs.shape[0] === 0 ? zeros([1]) : given(outputs, targets))),
  ),
  valid(
    'a loss of pairs that depends on all rows',
    pairs((each) => add(each, mean(each))),
  ),
  broken(
    'depends on the order of pairs',
    [apart],
    pairs((each) => mul(each, range(1, (each.shape[0] as number) + 1))),
  ),
  broken('leaks a tensor', [rows], suite(leaking)),
  broken(
    'returns twice the loss',
    [agrees],
    suite((given) => (outputs, targets) => mul(given(outputs, targets), 2)),
  ),
  broken(
    'detaches part of its gradient',
    [slope, agrees],
    suite((given) => (outputs, targets) => {
      const each = given(outputs, targets)
      return div(add(each, stopGradient(each)), 2)
    }),
  ),
  broken('accepts any options', uncheckedFails(4), () => describeLoss(unchecked(squared), { golden })),
]
