import { BALANCER, type Balancer, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeBalancer } from '../describe-balancer.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Counts = Parameters<Balancer['balance']>[0]
type Balance = Balancer['balance']

/** A class counts in inverse proportion to its examples. */
const inverse = definePlugin({
  kind: BALANCER,
  name: 'inverse',
  summary: 'Weights in inverse proportion to the examples of a class',
  options: z.strictObject({ power: z.number().gt(0).max(1).default(1).describe('1 evens out, towards 0 less') }),
  create: ({ power }): Balancer => ({
    balance(counts) {
      const classes = Object.entries(counts)
      const total = classes.reduce((sum, [, count]) => sum + count, 0)
      return Object.fromEntries(
        classes.map(([name, count]) => [name, { weight: (total / (count * classes.length)) ** power, repeat: 1 }]),
      )
    },
  }),
})

const golden = {
  source: 'arithmetic',
  cases: [{ options: {}, counts: { a: 3, b: 1 }, expected: { a: { weight: 2 / 3, repeat: 1 }, b: { weight: 2 } } }],
}
const suite = (change: (balance: Balance) => Balance) => (): void =>
  describeBalancer(
    altered<Balancer>(inverse, ({ balance }) => ({ balance: change(balance) })),
    { golden },
  )

const each = 'gives each class, and no other, a positive weight and repetition'
const same = 'gives the same for the same counts in any order, and leaves them as they were'
const agrees = 'agrees with arithmetic, case 1: {}'

/** What is given to some classes in place of what they had. */
const giving = (to: (name: string, counts: Counts) => boolean, weight: number, repeat = 1) =>
  suite((balance) => (counts) => {
    const changed = Object.keys(counts).filter((name) => to(name, counts))
    return { ...balance(counts), ...Object.fromEntries(changed.map((name) => [name, { weight, repeat }])) }
  })

const most = (counts: Counts): number => Math.max(...Object.values(counts))

/** Balancers. */
export const balancers: readonly Specimen[] = [
  sound('inverse counts', () => describeBalancer(inverse, { golden })),
  broken(
    'a class of one example weighs nothing',
    [each, 'gives a rarer class the greater part', agrees],
    giving((name, counts) => counts[name] === 1, 0),
  ),
  broken(
    'a class of one among a million has no finite weight',
    [each],
    giving((name, counts) => counts[name] === 1 && most(counts) > 1e5, Infinity),
  ),
  broken(
    'a class is repeated 0 times',
    [each],
    giving((_, counts) => most(counts) > 1e5, 1, 0),
  ),
  broken(
    'a class that nobody named',
    [each],
    suite((balance) => (counts) => ({ ...balance(counts), other: { weight: 1, repeat: 1 } })),
  ),
  broken(
    'a class that objects inherit is missing',
    [each],
    suite(
      (balance) => (counts) => balance(Object.fromEntries(Object.entries(counts).filter(([name]) => !(name in {})))),
    ),
  ),
  broken(
    'the first class counts most',
    [same],
    giving((name, counts) => Object.keys(counts).length > 100 && name === Object.keys(counts)[0], 9),
  ),
  broken(
    'changes the counts',
    [same],
    suite((balance) => (counts) => (Object.assign(counts, { ...counts }), balance(counts))),
  ),
  broken(
    'a rare class counts least',
    ['gives a rarer class the greater part'],
    suite(
      (balance) => (counts) =>
        'c' in counts
          ? Object.fromEntries(
              Object.entries(balance(counts)).map(([name, { weight }]) => [name, { weight: 1 / weight, repeat: 1 }]),
            )
          : balance(counts),
    ),
  ),
  broken(
    'all classes count alike',
    ['gives a rarer class the greater part', agrees],
    giving(() => true, 1),
  ),
  broken('evens out although it says not', ['evens nothing out: it is said to'], () =>
    describeBalancer(
      altered(inverse, (sane) => sane, { exceptions: { rare: 'it is said to' } }),
      { golden },
    ),
  ),
  broken('any options will do', uncheckedFails(4), () => describeBalancer(unchecked(inverse), { golden })),
]
