import { AttuneError, type Fold, PROTOCOL, type Protocol, definePlugin, shuffled } from '@attune/core'
import { z } from 'zod'
import { describeProtocol } from '../describe-protocol.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

/** Holds out every so-maniest of the examples in the order of their classes. */
const systematic = definePlugin({
  kind: PROTOCOL,
  name: 'systematic',
  summary: 'Holds out a share of the examples, evenly spread over the classes',
  options: z.strictObject({ share: z.number().gt(0).lt(1).default(0.25).describe('What is held out') }),
  create: ({ share }): Protocol => ({
    stratifyBy: 'label',
    split(count, groups, random) {
      if (count < 2) throw new AttuneError('TOO_FEW', `2 examples or more are divided, got ${count}`, 'Give more.')
      const total = Math.min(count - 1, Math.max(1, Math.round(count * share)))
      const mixed = shuffled([...Array(count).keys()], random)
      const ordered = mixed.sort((a, b) => (groups[a] ?? '').localeCompare(groups[b] ?? ''))
      const held = (_: number, i: number): boolean =>
        Math.floor(((i + 1) * total) / count) > Math.floor((i * total) / count)
      return [{ train: ordered.filter((at, i) => !held(at, i)), validation: ordered.filter(held) }]
    },
  }),
})

/** Deals the examples to three parts, each of which is validated once. */
const threefold = definePlugin({
  kind: PROTOCOL,
  name: 'threefold',
  summary: 'Divides into three parts, each validated once',
  options: z.strictObject({ offset: z.int().min(0).max(2).default(0).describe('The part of the first example') }),
  create: ({ offset }): Protocol => ({
    split(count, _, random) {
      if (count < 3) throw new AttuneError('TOO_FEW', `expected 3 examples or more, got ${count}`, 'Give more.')
      const mixed = shuffled([...Array(count).keys()], random)
      return [0, 1, 2].map((part) => {
        const held = (_at: number, i: number): boolean => (i + offset) % 3 === part
        return { train: mixed.filter((at, i) => !held(at, i)), validation: mixed.filter(held) }
      })
    },
  }),
})

type Split = Protocol['split']
const suite = (change: (split: Split) => Split) => (): void =>
  describeProtocol(altered<Protocol>(systematic, (sane) => ({ ...sane, split: change(sane.split) })))

const disjoint = 'divides into disjoint splits of known positions, leaving none out'
const alike = 'divides alike from the same random numbers, and leaves the classes as they were'
const crossing = 'validates every example once over several folds, whose sizes differ by one at most'
const proportion = 'keeps every class within one example of its proportion'
const few = 'divides 0, 1, 2 and 3 examples sensibly, or says why it cannot'

const folding = (change: (fold: Fold, count: number) => Fold) =>
  suite(
    (split) =>
      (count, ...rest) =>
        split(count, ...rest).map((fold) => change(fold, count)),
  )

/** Changes the three folds of {@link threefold}. */
const crossed = (change: (folds: readonly Fold[], count: number) => readonly Fold[]) => (): void =>
  describeProtocol(
    altered<Protocol>(threefold, ({ split }) => ({
      split: (count: number, ...rest: [readonly string[], () => number]) => change(split(count, ...rest), count),
    })),
  )

/** Begins where the division before ended. */
const turning = (split: Split): Split => {
  let turn = 0
  return (count, groups, random) => {
    for (let i = 0; i < turn; i++) random()
    turn++
    return split(count, groups, random)
  }
}

/** What comes first is held out, whatever its class. */
const first: Split = (count) => {
  const all = [...Array(count).keys()]
  if (count < 2) throw new AttuneError('TOO_FEW', 'too few', 'Give more.')
  return [{ train: all.slice(count >> 1), validation: all.slice(0, count >> 1) }]
}

/** Protocols. */
export const protocols: readonly Specimen[] = [
  sound('every fourth of each class', () => describeProtocol(systematic)),
  broken(
    'an example is in both splits',
    [disjoint, few],
    folding(({ train, validation }) => ({ train: [...train, validation[0]!], validation })),
  ),
  broken(
    'an example twice',
    [disjoint],
    folding(({ train, validation }, count) => ({ train: count > 100 ? [...train, train[0]!] : train, validation })),
  ),
  broken(
    'leaves one out',
    [disjoint],
    folding(({ train, validation }, count) => ({ train: train.slice(count > 3 ? 1 : 0), validation })),
  ),
  broken(
    'counts positions from 1',
    [disjoint, few, proportion],
    folding(({ train, validation }) => ({ train: train.map((i) => i + 1), validation: validation.map((i) => i + 1) })),
  ),
  broken(
    'no folds',
    [disjoint, few],
    suite(() => () => []),
  ),
  broken(
    'holds nothing out of two',
    [few],
    folding(({ train, validation }, count) =>
      count === 2 ? { train: [0, 1], validation: [] } : { train, validation },
    ),
  ),
  broken(
    'draws numbers of its own',
    [alike],
    suite((split) => (count, groups) => split(count, groups, Math.random)),
  ),
  broken('divides otherwise each time', [alike], suite(turning)),
  broken(
    'sorts the classes in place',
    [alike],
    suite((split) => (count, groups, random) => ((groups as string[]).sort(), split(count, groups, random))),
  ),
  broken(
    'does not look at classes',
    [proportion],
    suite(() => first),
  ),
  broken(
    'fails without a code where there is nothing',
    [few],
    suite((split) => (count, groups, random) => {
      if (count === 0) throw new RangeError('nothing')
      return split(count, groups, random)
    }),
  ),
  sound('three folds', () => describeProtocol(threefold)),
  broken(
    'validates the same part in each fold',
    [crossing],
    crossed((folds) => folds.map(() => folds[0]!)),
  ),
  broken(
    'a fold too few',
    [crossing],
    crossed((folds) => folds.slice(1)),
  ),
  broken(
    'folds of unequal sizes',
    [crossing],
    crossed(([first, second, third], count) => {
      if (count < 6) return [first!, second!, third!]
      const moved = second!.validation[0]!
      return [
        { train: first!.train.filter((i) => i !== moved), validation: [...first!.validation, moved] },
        { train: [...second!.train, moved], validation: second!.validation.slice(1) },
        third!,
      ]
    }),
  ),
  broken('any options will do', uncheckedFails(4), () => describeProtocol(unchecked(systematic))),
]
