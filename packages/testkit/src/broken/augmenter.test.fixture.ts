import { AUGMENTER, type Augmenter, type Example, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeAugmenter } from '../describe-augmenter.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Augment = Augmenter['augment']

const wordsOf = ({ text }: Example): string[] => String(text).split(' ')

/** Random word deletion. */
const deletion = definePlugin({
  kind: AUGMENTER,
  name: 'deletion',
  summary: 'Deletes words at random',
  options: z.strictObject({ rate: z.number().min(0).max(1).default(0.5).describe('Probability of deleting a word') }),
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

const same = 'returns the same examples for the same random stream, in any order, and uses no other randomness'
const intact = 'does not modify the example'
const records = 'returns records for any random numbers'
const expected = 'returns the expected examples for {"text":"here and there","label":"a"} and 0.2, 0.6, 0.5'

/** Numbers its examples in order of arrival. */
const counting = (augment: Augment): Augment => {
  let count = 0
  return (given, random) => augment(given, random).map((made) => (made === example ? made : { ...made, id: count++ }))
}

/** Picks one of the words; `undefined` if the random number is too close to 1. */
const pick: Augment = (given, random) => {
  const words = wordsOf(given)
  const word = words[Math.ceil(random() * words.length)]
  return word === undefined ? [word as never] : [{ ...given, text: word }]
}

/** Augmenter specimens. */
export const augmenters: readonly Specimen[] = [
  valid('word deletion', () => describeAugmenter(deletion, { examples, cases })),
  broken(
    'uses Math.random',
    [same],
    suite((augment) => (given, random) => (given === example ? augment(given, random) : augment(given, Math.random))),
  ),
  broken('numbers the examples', [same, expected], suite(counting)),
  broken(
    'modifies the example',
    [intact],
    suite((augment) => (given, random) => (Object.assign(given, { text: given['text'] }), augment(given, random))),
  ),
  broken(
    'returns no record for a random number close to 1',
    [records],
    suite(
      (augment) => (given, random) =>
        given === example || random() < 0.99 ? augment(given, random) : pick(given, () => 1),
    ),
  ),
  broken(
    'returns texts instead of examples',
    [records],
    suite(
      (augment) => (given, random) =>
        given === example ? augment(given, random) : augment(given, random).map(({ text }) => text as never),
    ),
  ),
  broken(
    'throws for an empty text',
    [same, intact, records],
    suite((augment) => (given, random) => {
      if (given['text'] === '') throw new Error('no words')
      return augment(given, random)
    }),
  ),
  broken(
    'deletes the other words',
    [expected],
    suite((augment) => (given, random) => augment(given, () => 1 - random())),
  ),
  broken('accepts any options', uncheckedFails(4), () => describeAugmenter(unchecked(deletion), { examples, cases })),
]
