import { BALANCER, type Balanced, type Balancer, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeBalancer } from '../describe-balancer.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Balance = Balancer['balance']

/** Keeps as many of each class as the rarest has. */
const undersampling = definePlugin({
  kind: BALANCER,
  name: 'undersampling',
  summary: 'Leaves out examples of frequent classes at random',
  options: z.strictObject({ by: z.string().min(1).default('label').describe('The field that holds the class') }),
  create: ({ by }): Balancer => ({
    by,
    balance({ classes }, random) {
      const names = [...new Set(classes)]
      const of = (name: string): number[] => [...classes.keys()].filter((i) => classes[i] === name)
      const least = Math.min(...names.map((name) => of(name).length))
      const drawn = names.flatMap((name) => {
        const all = of(name)
        return Array.from({ length: least }, () => all.splice(Math.floor(random() * all.length), 1)[0]!)
      })
      return { indices: drawn, weights: drawn.map(() => 1) }
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

const indices = 'returns indices of examples, and a finite weight for each if any'
const same = 'returns the same from the same random numbers, and uses no others'
const intact = 'leaves the classes as they were'
const closer = 'brings classes closer together'
const agrees = 'agrees with arithmetic, case 1: {} of {"a":3,"b":2}'

const turning = (balance: Balance): Balance => {
  let turn = 0
  return (given, random) => {
    for (let i = 0; i < turn; i++) random()
    turn++
    return balance(given, random)
  }
}

/** Balancers. */
export const balancers: readonly Specimen[] = [
  sound('undersampling', () => describeBalancer(undersampling, { golden })),
  broken(
    'counts examples from 1',
    [indices],
    after((balanced, { length }) => ({
      ...balanced,
      indices: length > 200 ? balanced.indices.map((i) => i + length) : balanced.indices,
    })),
  ),
  broken(
    'a weight too few',
    [indices],
    after((balanced) => ({ ...balanced, weights: (balanced.weights ?? []).slice(1) })),
  ),
  broken(
    'a weight that is not a number',
    [indices],
    after((balanced, { length }) =>
      length === 5 || length === 100 ? balanced : { ...balanced, weights: balanced.indices.map(() => Number.NaN) },
    ),
  ),
  broken('begins where it ended before', [same], suite(turning)),
  broken(
    'sorts the classes that it is given',
    [intact],
    suite((balance) => (given, random) => {
      const before = [...given.classes]
      ;(given.classes as string[]).sort()
      ;(given.classes as string[]).splice(0, before.length, ...before)
      return balance(given, random)
    }),
  ),
  broken(
    'evens nothing out',
    [closer],
    suite(
      (balance) => (given, random) =>
        given.classes.length === 100 ? { indices: [...given.classes.keys()] } : balance(given, random),
    ),
  ),
  broken(
    'leaves out one too many',
    [agrees],
    after((balanced, { length }) =>
      length === 5 && balanced.indices.length === 4
        ? { indices: balanced.indices.slice(1), weights: (balanced.weights ?? []).slice(1) }
        : balanced,
    ),
  ),
  broken('any options will do', uncheckedFails(2), () => describeBalancer(unchecked(undersampling), { golden })),
]
