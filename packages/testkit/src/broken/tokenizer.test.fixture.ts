import type { EncodeOptions, Encoding, Tokenizer } from '@attune/core'
import { describeTokenizer } from '../describe-tokenizer.js'
import { alphabet, letters } from './letters.test.fixture.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

const golden = {
  source: 'the alphabet',
  encodings: [{ text: 'abc', ids: [1, 3, 4, 5, 2] }],
}
const suite = (change: (sane: Tokenizer) => Partial<Tokenizer>) => (): void =>
  describeTokenizer(
    altered<Tokenizer>(letters, (sane) => ({ ...sane, ...change(sane) })),
    { options: alphabet, golden },
  )
const encoding = (change: (encoding: Encoding, options: EncodeOptions, text: string) => Encoding) =>
  suite(({ encode }) => ({ encode: (text, options = {}) => change(encode(text, options), options, text) }))
/** Encodes as if it had been asked for something else. */
const asking = (change: (options: EncodeOptions) => EncodeOptions) =>
  suite(({ encode }) => ({ encode: (text, options = {}) => encode(text, change(options)) }))

const within = 'gives ids within the vocabulary, as many types, and the same every time'
const most = 'never gives more than maximumLength tokens, and says when it cut'
const same = 'gives the same tokens with their places, and none to what the template added'
const place = 'gives a token the place where its letters stand'
const end = 'cuts the end of the text, or its beginning if it is told to'
const windows = 'gives what was cut in windows that share as many tokens as the stride says'
const decodes = 'encodes what it decoded to the same ids'
const names = 'names the token of every id, and of no other number, and finds the id again'
const silent = 'has special tokens that decoding leaves out'
const files = 'writes files that survive JSON and make an equal tokenizer'
const agrees = 'agrees with the alphabet on 1 encodings'

/** Places of what stood in the text, moved. */
const placed = (start: number, stop: number) =>
  encoding(({ offsets, specialMask, ...rest }) =>
    offsets === undefined
      ? rest
      : {
          ...rest,
          specialMask: specialMask!,
          offsets: offsets.map(([a, b], i) => (specialMask![i] === 1 ? [a, b] : [a + start, b + stop])),
        },
  )

/** A text of nothing but space that it has seen has one token more. */
const learning = ({ encode }: Tokenizer): Partial<Tokenizer> => {
  let seen = 0
  return {
    encode(text, options) {
      const { ids, typeIds, ...rest } = encode(text, options)
      if (options !== undefined || text === '' || text.trim() !== '' || seen++ === 0) return { ids, typeIds, ...rest }
      return { ids: [...ids, 2], typeIds: [...typeIds, 0], ...rest }
    },
  }
}

const withoutPlaces = ({ ids, typeIds, truncated, overflowing = [] }: Encoding): Encoding => ({
  ids,
  typeIds,
  truncated,
  overflowing,
})

/** The places of the second of a pair go on from the first's. */
const goingOn = ({ offsets, ...rest }: Encoding, { pair }: EncodeOptions, text: string): Encoding => {
  if (offsets === undefined) return rest
  if (pair === undefined) return { ...rest, offsets }
  return {
    ...rest,
    offsets: offsets.map(([a, b], i) => (rest.typeIds[i] === 1 ? [a + text.length, b + text.length] : [a, b])),
  }
}

/** Tokenizers. */
export const tokenizers: readonly Specimen[] = [
  sound('letters', () => describeTokenizer(letters, { options: alphabet, golden })),
  broken(
    'an id as great as the vocabulary',
    [within, names],
    suite(({ vocabularySize }) => ({ vocabularySize: vocabularySize - 1 })),
  ),
  broken(
    'a type too few',
    [within, most, same],
    encoding((encoded, options) =>
      Object.keys(options).length > 0 ? encoded : { ...encoded, typeIds: encoded.typeIds.slice(1) },
    ),
  ),
  broken('another encoding the second time', [within, same, files], suite(learning)),
  broken(
    'a token more than the most',
    [most, end, windows],
    asking(({ maximumLength = Infinity, ...options }) => ({ ...options, maximumLength: maximumLength + 1 })),
  ),
  broken(
    'says that it cut where it just fits',
    [most],
    encoding((encoded, { maximumLength }) => ({ ...encoded, truncated: encoded.ids.length === maximumLength })),
  ),
  broken(
    'does not say that it cut',
    [most],
    encoding((encoded) => ({ ...encoded, truncated: false })),
  ),
  broken(
    'cuts the shorter text first',
    [most],
    encoding((encoded, { pair, maximumLength }) =>
      pair === undefined || maximumLength === undefined
        ? encoded
        : { ...encoded, ids: encoded.ids.slice(0, maximumLength - 1) },
    ),
  ),
  broken('places one too far right', [same, place], placed(1, 1)),
  broken('places one too far left', [same, place], placed(-1, -1)),
  broken('places that begin one too late', [place], placed(1, 0)),
  broken('places that end one too late', [same, place], placed(0, 1)),
  broken('no places', [same, place], encoding(withoutPlaces)),
  broken('places of the second text that go on from the first', [place], encoding(goingOn)),
  broken(
    'marks count as text',
    [same],
    encoding(({ specialMask, ...rest }) =>
      specialMask === undefined ? rest : { ...rest, specialMask: specialMask.map(() => 0) },
    ),
  ),
  broken(
    'marks although told not to',
    [same, place, end, windows],
    asking((options) => ({ ...options, addSpecialTokens: true })),
  ),
  broken(
    'cuts the end whatever it is told',
    [end],
    asking((options) => ({ ...options, truncationSide: 'right' })),
  ),
  broken(
    'cuts the beginning whatever it is told',
    [end, windows],
    asking((options) => ({ ...options, truncationSide: 'left' })),
  ),
  broken(
    'no windows',
    [windows],
    encoding(({ ids, typeIds, truncated, offsets, specialMask }) => ({
      ids,
      typeIds,
      truncated,
      ...(offsets === undefined ? {} : { offsets, specialMask: specialMask! }),
    })),
  ),
  broken(
    'windows that share one too few',
    [windows],
    asking((options) =>
      options.stride === undefined ? options : { ...options, stride: Math.max(0, options.stride - 1) },
    ),
  ),
  broken(
    'decodes to a letter more',
    [decodes, silent, place],
    suite(({ decode }) => ({ decode: (ids) => `${decode(ids)}x` })),
  ),
  broken(
    'spells out the marks',
    [decodes, silent],
    suite(({ decode, token }) => ({
      decode: (ids) => (ids.length === 0 ? decode(ids) : Array.from(ids, (id) => token(id)).join('')),
    })),
  ),
  broken(
    'has a token for every number',
    [names],
    suite(({ token }) => ({ token: (id) => token(id) ?? '[unknown]' })),
  ),
  broken(
    'finds no id of a space',
    [names],
    suite(({ id }) => ({ id: (token) => (token === ' ' ? undefined : id(token)) })),
  ),
  broken(
    'forgets letters in its files',
    [files],
    suite(({ files: write }) => ({ files: () => ({ ...write(), 'tokenizer.json': { letters: 'abc' } }) })),
  ),
  broken(
    'files that JSON does not hold',
    [files],
    suite(() => ({ files: () => ({ 'tokenizer.json': new Map([['letters', 'abc']]) }) })),
  ),
  broken(
    'is not what the golden file says',
    [agrees],
    encoding((encoded, _, text) => (text === 'abc' ? { ...encoded, ids: [1, 3, 5, 4, 2] } : encoded)),
  ),
  broken('any options will do', uncheckedFails(1), () =>
    describeTokenizer(unchecked(letters, alphabet), { options: alphabet, golden }),
  ),
]
