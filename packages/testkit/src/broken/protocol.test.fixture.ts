import { AttuneError, type Fold, PROTOCOL, type Protocol, definePlugin, shuffled } from '@attune/core'
import { z } from 'zod'
import { describeProtocol } from '../describe-protocol.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

/** Systematic sampling of the examples in class order: holds out a fraction at regular intervals. */
const systematic = definePlugin({
  kind: PROTOCOL,
  name: 'systematic',
  summary: 'Holds out a fraction of the examples, evenly spread over the classes',
  options: z.strictObject({ share: z.number().gt(0).lt(1).default(0.25).describe('Fraction that is held out') }),
  create: ({ share }): Protocol => ({
    stratifyBy: 'label',
    split(count, groups, random) {
      if (count < 2)
        throw new AttuneError('TOO_FEW', `expected at least 2 examples, got ${count}`, 'Provide more examples.')
      const total = Math.min(count - 1, Math.max(1, Math.round(count * share)))
      const mixed = shuffled([...Array(count).keys()], random)
      const ordered = mixed.sort((a, b) => (groups[a] ?? '').localeCompare(groups[b] ?? ''))
      const held = (_: number, i: number): boolean =>
        Math.floor(((i + 1) * total) / count) > Math.floor((i * total) / count)
      return [{ train: ordered.filter((at, i) => !held(at, i)), validation: ordered.filter(held) }]
    },
  }),
})

/** Three-fold cross-validation. */
const threefold = definePlugin({
  kind: PROTOCOL,
  name: 'threefold',
  summary: 'Three-fold cross-validation',
  options: z.strictObject({ offset: z.int().min(0).max(2).default(0).describe('Fold of the first example') }),
  create: ({ offset }): Protocol => ({
    split(count, _, random) {
      if (count < 3)
        throw new AttuneError('TOO_FEW', `expected at least 3 examples, got ${count}`, 'Provide more examples.')
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

const disjoint = 'returns disjoint splits of valid indices that cover all examples'
const alike = 'returns the same splits for the same random stream, and does not modify the classes'
const crossing = 'validates every example once over several folds, whose sizes differ by at most one'
const proportion = 'keeps every class within one example of its proportion'
const few = 'splits 0, 1, 2 and 3 examples, or rejects them with a code and a remedy'

const folding = (change: (fold: Fold, count: number) => Fold) =>
  suite(
    (split) =>
      (count, ...rest) =>
        split(count, ...rest).map((fold) => change(fold, count)),
  )

/** Changes the folds of {@link threefold}. */
const crossed = (change: (folds: readonly Fold[], count: number) => readonly Fold[]) => (): void =>
  describeProtocol(
    altered<Protocol>(threefold, ({ split }) => ({
      split: (count: number, ...rest: [readonly string[], () => number]) => change(split(count, ...rest), count),
    })),
  )

/** Continues the random stream of the last call. */
const turning = (split: Split): Split => {
  let turn = 0
  return (count, groups, random) => {
    for (let i = 0; i < turn; i++) random()
    turn++
    return split(count, groups, random)
  }
}

/** Holds out the first half, regardless of the classes. */
const first: Split = (count) => {
  const all = [...Array(count).keys()]
  if (count < 2) throw new AttuneError('TOO_FEW', 'too few examples', 'Provide more examples.')
  return [{ train: all.slice(count >> 1), validation: all.slice(0, count >> 1) }]
}

/** Protocol specimens. */
export const protocols: readonly Specimen[] = [
  valid('systematic sampling', () => describeProtocol(systematic)),
  broken(
    'puts an example into both splits',
    [disjoint, few],
    folding(({ train, validation }) => ({ train: [...train, validation[0]!], validation })),
  ),
  broken(
    'repeats an example',
    [disjoint],
    folding(({ train, validation }, count) => ({ train: count > 100 ? [...train, train[0]!] : train, validation })),
  ),
  broken(
    'omits an example',
    [disjoint],
    folding(({ train, validation }, count) => ({ train: train.slice(count > 3 ? 1 : 0), validation })),
  ),
  broken(
    'returns indices from 1',
    [disjoint, few, proportion],
    folding(({ train, validation }) => ({ train: train.map((i) => i + 1), validation: validation.map((i) => i + 1) })),
  ),
  broken(
    'returns no folds',
    [disjoint, few],
    suite(() => () => []),
  ),
  broken(
    'holds out nothing of two examples',
    [few],
    folding(({ train, validation }, count) =>
      count === 2 ? { train: [0, 1], validation: [] } : { train, validation },
    ),
  ),
  broken(
    'uses Math.random',
    [alike],
    suite((split) => (count, groups) => split(count, groups, Math.random)),
  ),
  broken('splits differently each time', [alike], suite(turning)),
  broken(
    'sorts the classes in place',
    [alike],
    suite((split) => (count, groups, random) => ((groups as string[]).sort(), split(count, groups, random))),
  ),
  broken(
    'ignores the classes',
    [proportion],
    suite(() => first),
  ),
  broken(
    'throws an error without a code for no examples',
    [few],
    suite((split) => (count, groups, random) => {
      if (count === 0) throw new RangeError('nothing')
      return split(count, groups, random)
    }),
  ),
  valid('three-fold cross-validation', () => describeProtocol(threefold)),
  broken(
    'validates the same part in each fold',
    [crossing],
    crossed((folds) => folds.map(() => folds[0]!)),
  ),
  broken(
    'returns a fold too few',
    [crossing],
    crossed((folds) => folds.slice(1)),
  ),
  broken(
    'returns folds of unequal sizes',
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
  broken('accepts any options', uncheckedFails(4), () => describeProtocol(unchecked(systematic))),
]
