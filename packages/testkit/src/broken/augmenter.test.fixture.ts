import { AUGMENTER, type Augmenter, type Example, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeAugmenter } from '../describe-augmenter.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Augment = Augmenter['augment']

const wordsOf = ({ text }: Example): string[] => String(text).split(' ')

/** Leaves out each word with some probability. */
const deletion = definePlugin({
  kind: AUGMENTER,
  name: 'deletion',
  summary: 'Leaves out words at random',
  options: z.strictObject({ rate: z.number().min(0).max(1).default(0.5).describe('Probability that a word goes') }),
  create: ({ rate }): Augmenter => ({
    augment: (example, random) => [
      example,
      {
        ...example,
        text: wordsOf(example)
          .filter(() => random() >= rate)
          .join(' '),
      },
    ],
  }),
})

const examples = [
  { text: 'all of these are words', label: 'a' },
  { text: 'one', label: 'b' },
  { text: '', label: 'a' },
]
const example = { text: 'here and there', label: 'a' }
const cases = [{ example, random: [0.2, 0.6, 0.5], expected: [example, { text: 'and there', label: 'a' }] }]
const suite = (change: (augment: Augment) => Augment) => (): void =>
  describeAugmenter(
    altered<Augmenter>(deletion, ({ augment }) => ({ augment: change(augment) })),
    { examples, cases },
  )

const same = 'gives the same examples from the same random numbers, in any order, and uses no others'
const intact = 'leaves the example as it was'
const records = 'gives records, whatever the random numbers'
const expected = 'makes of {"text":"here and there","label":"a"} and 0.2, 0.6, 0.5 what is expected'

/** Numbers its examples, in the order in which they come. */
const counting = (augment: Augment): Augment => {
  let count = 0
  return (given, random) => augment(given, random).map((made) => (made === example ? made : { ...made, id: count++ }))
}

/** One of the words; there is none where the number is too close to 1. */
const pick: Augment = (given, random) => {
  const words = wordsOf(given)
  const word = words[Math.ceil(random() * words.length)]
  return word === undefined ? [word as never] : [{ ...given, text: word }]
}

/** Augmenters. */
export const augmenters: readonly Specimen[] = [
  sound('deletion of words', () => describeAugmenter(deletion, { examples, cases })),
  broken(
    'draws numbers of its own',
    [same],
    suite((augment) => (given, random) => (given === example ? augment(given, random) : augment(given, Math.random))),
  ),
  broken('numbers the examples that come by', [same, expected], suite(counting)),
  broken(
    'writes into the example',
    [intact],
    suite((augment) => (given, random) => (Object.assign(given, { text: given['text'] }), augment(given, random))),
  ),
  broken(
    'gives nothing for a number close to 1',
    [records],
    suite(
      (augment) => (given, random) =>
        given === example || random() < 0.99 ? augment(given, random) : pick(given, () => 1),
    ),
  ),
  broken(
    'gives texts instead of examples',
    [records],
    suite(
      (augment) => (given, random) =>
        given === example ? augment(given, random) : augment(given, random).map(({ text }) => text as never),
    ),
  ),
  broken(
    'throws where there is no word',
    [same, intact, records],
    suite((augment) => (given, random) => {
      if (given['text'] === '') throw new Error('no words')
      return augment(given, random)
    }),
  ),
  broken(
    'leaves out the other words',
    [expected],
    suite((augment) => (given, random) => augment(given, () => 1 - random())),
  ),
  broken('any options will do', uncheckedFails(4), () => describeAugmenter(unchecked(deletion), { examples, cases })),
]
