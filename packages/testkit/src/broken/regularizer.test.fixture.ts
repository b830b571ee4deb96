import { REGULARIZER, type Regularizer, definePlugin } from '@attune/core'
import {
  type Scalar,
  type Tensor,
  addN,
  customGrad,
  keep,
  mul,
  reshape,
  scalar,
  square,
  sum,
} from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { describeRegularizer } from '../describe-regularizer.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

/** The sum of squares, times a number. */
const squares = definePlugin({
  kind: REGULARIZER,
  name: 'squares',
  summary: 'The sum of the squares of all parameters',
  options: z.strictObject({ strength: z.number().positive().default(0.5).describe('What the sum is multiplied by') }),
  create:
    ({ strength }): Regularizer =>
    (trainable) =>
      mul(strength, addN(Object.values(trainable).map((p) => sum(square(p))))),
})

const golden = {
  source: 'arithmetic',
  cases: [{ options: {}, parameters: { p: { shape: [2, 1], values: [3, -4] } }, expected: 12.5 }],
}
const suite = (change: (term: Regularizer) => unknown) => (): void =>
  describeRegularizer(altered<Regularizer>(squares, change), { golden })

const finite = 'is a finite scalar, the same for the same parameters, and leaves nothing behind'
const slope = 'has the gradient that finite differences find'
const agrees = 'agrees with arithmetic, case 1: {}'

/** The value as it is, with a gradient of half the size. */
const halved = (x: Tensor): Tensor =>
  customGrad((y) => ({ value: mul(y as Tensor, 1), gradFunc: (dy) => mul(dy, 0.5) }))(x)

const growing = (term: Regularizer): Regularizer => {
  let calls = 0
  return (trainable) => mul(term(trainable), 1 + 1e-6 * calls++)
}

const overwrite = (trainable: Parameters<Regularizer>[0]): void => {
  const values = Object.values(trainable)[0]!.dataSync()
  values[0] = values[0]! + 1
}

/** Regularizers. */
export const regularizers: readonly Specimen[] = [
  sound('squares', () => describeRegularizer(squares, { golden })),
  broken(
    'a vector of one',
    [finite, slope, agrees],
    suite(
      (term) =>
        (...all: Parameters<Regularizer>) =>
          reshape(term(...all), [1]),
    ),
  ),
  broken(
    'not a number',
    [finite, slope, agrees],
    suite(
      (term) =>
        (...all: Parameters<Regularizer>) =>
          mul(term(...all), NaN),
    ),
  ),
  broken('grows with each call', [finite], suite(growing)),
  broken(
    'keeps a tensor of each call',
    [finite],
    suite(
      (term) =>
        (...all: Parameters<Regularizer>) => (keep(scalar(0)), term(...all)),
    ),
  ),
  broken(
    'writes over the parameters',
    [finite, slope, agrees],
    suite(
      (term) =>
        (...all: Parameters<Regularizer>) => (overwrite(...all), term(...all)),
    ),
  ),
  broken(
    'half the gradient',
    [slope],
    suite(
      (term) =>
        (...all: Parameters<Regularizer>) =>
          halved(term(...all)),
    ),
  ),
  broken(
    'no gradient',
    [slope],
    suite(
      (term) =>
        (...all: Parameters<Regularizer>) =>
          scalar(term(...all).dataSync()[0]!) as Scalar,
    ),
  ),
  broken(
    'does not sum but average',
    [agrees],
    suite(
      (term) => (trainable: Parameters<Regularizer>[0]) =>
        mul(term(trainable), 1 / Object.values(trainable).reduce((count, { size }) => count + size, 0)),
    ),
  ),
  broken('any options will do', uncheckedFails(3), () => describeRegularizer(unchecked(squares), { golden })),
]
