import { LOSS, type LossTerm, definePlugin } from '@attune/core'
import { add, div, keep, log, mean, mul, neg, scalar, square, sub, sum } from '@tensorflow/tfjs-core'
import { stopGradient } from '@attune/nn'
import { z } from 'zod'
import { describeLoss } from '../describe-loss.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

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

const rows = 'returns one finite loss for each row, the same for the same rows, and leaves nothing behind'
const apart = 'depends on no other row'
const slope = 'has the gradient that finite differences find'
const agrees = 'agrees with arithmetic, case 1: {"scale":2}'

/** Adds more at every call, of whatever instance. */
const growing = (): ((losses: Losses) => Losses) => {
  let calls = 0
  return (losses) => (outputs, targets) =>
    outputs.shape[0] === 2 ? losses(outputs, targets) : add(losses(outputs, targets), calls++)
}

/** Keeps a tensor that nothing frees. */
const leaking: (losses: Losses) => Losses = (losses) => (outputs, targets) => {
  keep(scalar(1))
  return losses(outputs, targets)
}

/** Losses. */
export const losses: readonly Specimen[] = [
  sound('the squared difference', () => describeLoss(squared, { golden })),
  broken(
    'the sum of all rows',
    [rows, apart, agrees],
    suite((given) => (outputs, targets) => sum(given(outputs, targets))),
  ),
  broken(
    'the mean in the place of each row',
    [apart, agrees],
    suite((given) => (outputs, targets) => {
      const each = given(outputs, targets)
      return add(mul(each, 0), mean(each))
    }),
  ),
  broken(
    'the logarithm of a negative number',
    [rows, apart, slope],
    suite(
      (given) => (outputs, targets) =>
        outputs.shape[0] === 2 ? given(outputs, targets) : log(neg(given(outputs, targets))),
    ),
  ),
  broken('more at every call', [rows, apart, slope], suite(growing())),
  broken('a tensor that nothing frees', [rows], suite(leaking)),
  broken(
    'twice the loss',
    [agrees],
    suite((given) => (outputs, targets) => mul(given(outputs, targets), 2)),
  ),
  broken(
    'a gradient that is cut off',
    [slope, agrees],
    suite((given) => (outputs, targets) => {
      const each = given(outputs, targets)
      return div(add(each, stopGradient(each)), 2)
    }),
  ),
  broken('any options will do', uncheckedFails(4), () => describeLoss(unchecked(squared), { golden })),
]
