import { describeFilter } from '@attune/testkit'
import { duplicates } from './duplicates.js'

const texts = (...given: readonly unknown[]) => given.map((text) => ({ text }))

describeFilter(duplicates, {
  examples: [{ text: 'one', label: 'a' }, { text: '' }, { text: 7 }, {}, { text: null }, { text: 'one', label: 'b' }],
  cases: [
    { examples: texts('a', 'b', 'a', 'A', ' a ', 'b'), kept: [0, 1, 3] },
    { options: { normalize: 'none' }, examples: texts('a', 'a ', 'a', 'a\u00a0'), kept: [0, 1, 3] },
    { options: { normalize: 'letters' }, examples: texts('It is.', 'it IS!', 'ﬁne', 'fine', 'fines'), kept: [0, 2, 4] },
    { examples: texts('e\u0301', 'é', 'a\n b', 'a b'), kept: [0, 2] },
    { examples: texts(undefined, null, undefined, 1, '1', 1, ['a'], ['a']), kept: [0, 1, 2, 3, 4, 6] },
    {
      options: { by: ['text', 'label'] },
      examples: [
        { text: 'a', label: 'x' },
        { text: 'a', label: 'y' },
        { text: 'a', label: 'x', id: 3 },
        { text: 'a' },
        { text: 'a' },
      ],
      kept: [0, 1, 3, 4],
    },
    {
      options: { by: ['a', 'b'] },
      examples: [
        { a: 'x y', b: 'z' },
        { a: 'x', b: 'y z' },
      ],
      kept: [0, 1],
    },
  ],
})
