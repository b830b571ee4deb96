import { type LossFunction, REGULARIZER, type Regularizer, definePlugin } from '@attune/core'
import { add, keep, log, mul, neg, scalar, square, sum } from '@tensorflow/tfjs-core'
import { penalty, stopGradient } from '@attune/nn'
import { z } from 'zod'
import { describeRegularizer } from '../describe-regularizer.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

/** L2 penalty of all parameters. */
const squares = definePlugin({
  kind: REGULARIZER,
  name: 'squares',
  summary: 'L2 penalty of all parameters',
  options: z.strictObject({ strength: z.number().min(0).max(9).default(0.1).describe('Factor of the penalty') }),
  create: ({ strength }): Regularizer =>
    penalty((trainable) =>
      Object.values(trainable).reduce((total, weight) => add(total, mul(strength, sum(square(weight)))), scalar(0)),
    ),
})

const parameters = { 'a.weight': { shape: [2], values: [1, 2] } }
const golden = { source: 'arithmetic', cases: [{ options: { strength: 2 }, parameters, expected: 10 }] }
const suite = (change: (wrap: Regularizer['wrap']) => Regularizer['wrap']) => (): void =>
  describeRegularizer(
    altered<Regularizer>(squares, ({ wrap }) => ({ wrap: change(wrap) })),
    { golden },
  )
/** Changes the loss that the regularizer returns. */
const after = (change: (loss: LossFunction) => LossFunction) => suite((wrap) => (loss) => change(wrap(loss)))

const finite = 'returns a finite loss of the same weight, the same for the same call, and frees all other tensors'
const slope = 'matches the gradient by finite differences'
const agrees = 'agrees with arithmetic, case 1: {"strength":2}'

const growing = (loss: LossFunction): LossFunction => {
  let calls = 0
  return (call) => {
    const { sum: total, weight } = loss(call)
    return { sum: 'a.weight' in call.trainable ? total : add(total, calls++), weight }
  }
}

const onModel = (change: (loss: ReturnType<LossFunction>) => ReturnType<LossFunction>) =>
  after((loss) => (call) => ('a.weight' in call.trainable ? loss(call) : change(loss(call))))

/** Regularizer specimens. */
export const regularizers: readonly Specimen[] = [
  valid('L2 penalty', () => describeRegularizer(squares, { golden })),
  broken('increases at every call', [finite, slope], after(growing)),
  broken(
    'returns the logarithm of a negative number',
    [finite, slope],
    onModel(({ sum: total, weight }) => ({ sum: log(neg(total)), weight })),
  ),
  broken(
    'returns another weight',
    [finite],
    onModel(({ sum: total, weight }) => ({ sum: total, weight: add(weight, 1) })),
  ),
  broken(
    'leaks a tensor',
    [finite],
    onModel((loss) => {
      keep(scalar(1))
      return loss
    }),
  ),
  broken(
    'returns a loss without a gradient',
    [slope],
    onModel(({ sum: total, weight }) => ({ sum: stopGradient(total), weight })),
  ),
  broken(
    'returns twice the term',
    [agrees],
    after((loss) => (call) => {
      const { sum: total, weight } = loss(call)
      return { sum: 'a.weight' in call.trainable ? mul(total, 2) : total, weight }
    }),
  ),
  broken('accepts any options', uncheckedFails(4), () => describeRegularizer(unchecked(squares), { golden })),
]
