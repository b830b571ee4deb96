import { BALANCER, type Balanced, type Balancer, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeBalancer } from '../describe-balancer.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Balance = Balancer['balance']

/** Undersampling: keeps as many examples of each class as the rarest class has. */
const undersampling = definePlugin({
  kind: BALANCER,
  name: 'undersampling',
  summary: 'Drops examples of frequent classes at random',
  options: z.strictObject({ by: z.string().min(1).default('label').describe('The field that holds the class') }),
  create: ({ by }): Balancer => ({
    by,
    balance({ classes }, random) {
      const names = [...new Set(classes)]
      const of = (name: string): number[] => [...classes.keys()].filter((i) => classes[i] === name)
      const smallest = Math.min(...names.map((name) => of(name).length))
      const sampled = names.flatMap((name) => {
        const all = of(name)
        return Array.from({ length: smallest }, () => all.splice(Math.floor(random() * all.length), 1)[0]!)
      })
      return { indices: sampled, weights: sampled.map(() => 1) }
    },
  }),
})

const golden = { source: 'arithmetic', cases: [{ options: {}, counts: { a: 3, b: 2 }, expected: { a: 2, b: 2 } }] }
const suite = (change: (balance: Balance) => Balance) => (): void =>
  describeBalancer(
    altered<Balancer>(undersampling, ({ by, balance }) => ({ by, balance: change(balance) })),
    { golden },
  )
const after = (change: (balanced: Balanced, classes: readonly string[]) => Balanced) =>
  suite((balance) => (given, random) => change(balance(given, random), given.classes))

const indices = 'returns indices of examples, and a finite weight for each if it returns weights'
const same = 'returns the same result for the same random stream, and uses no other randomness'
const intact = 'does not modify the classes'
const closer = 'reduces class imbalance'
const agrees = 'agrees with arithmetic, case 1: {} of {"a":3,"b":2}'

const turning = (balance: Balance): Balance => {
  let turn = 0
  return (given, random) => {
    for (let i = 0; i < turn; i++) random()
    turn++
    return balance(given, random)
  }
}

/** Balancer specimens. */
export const balancers: readonly Specimen[] = [
  valid('undersampling', () => describeBalancer(undersampling, { golden })),
  broken(
    'returns indices beyond the examples',
    [indices],
    after((balanced, { length }) => ({
      ...balanced,
      indices: length > 200 ? balanced.indices.map((i) => i + length) : balanced.indices,
    })),
  ),
  broken(
    'returns a weight too few',
    [indices],
    after((balanced) => ({ ...balanced, weights: (balanced.weights ?? []).slice(1) })),
  ),
  broken(
    'returns weights that are not numbers',
    [indices],
    after((balanced, { length }) =>
      length === 5 || length === 100 ? balanced : { ...balanced, weights: balanced.indices.map(() => Number.NaN) },
    ),
  ),
  broken('continues the random stream of the last call', [same], suite(turning)),
  broken(
    'sorts the classes in place',
    [intact],
    suite((balance) => (given, random) => {
      const before = [...given.classes]
      ;(given.classes as string[]).sort()
      ;(given.classes as string[]).splice(0, before.length, ...before)
      return balance(given, random)
    }),
  ),
  broken(
    'does not reduce class imbalance',
    [closer],
    suite(
      (balance) => (given, random) =>
        given.classes.length === 100 ? { indices: [...given.classes.keys()] } : balance(given, random),
    ),
  ),
  broken(
    'drops one example too many',
    [agrees],
    after((balanced, { length }) =>
      length === 5 && balanced.indices.length === 4
        ? { indices: balanced.indices.slice(1), weights: (balanced.weights ?? []).slice(1) }
        : balanced,
    ),
  ),
  broken('accepts any options', uncheckedFails(2), () => describeBalancer(unchecked(undersampling), { golden })),
]
