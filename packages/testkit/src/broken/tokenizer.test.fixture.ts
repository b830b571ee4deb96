import type { EncodeOptions, Encoding, Tokenizer } from '@attune/core'
import { describeTokenizer } from '../describe-tokenizer.js'
import { alphabet, letters } from './letters.test.fixture.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

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
/** Encodes with other options than requested. */
const asking = (change: (options: EncodeOptions) => EncodeOptions) =>
  suite(({ encode }) => ({ encode: (text, options = {}) => encode(text, change(options)) }))

const within = 'returns ids within the vocabulary, as many type ids, and the same every time'
const limit = 'returns at most maximumLength tokens, and reports truncation'
const same = 'returns the same tokens with offsets, and empty offsets for special tokens'
const located = 'returns the offsets of the letters of each token'
const end = 'truncates the end of the text, or the start with truncationSide: left'
const windows = 'returns the overflow in windows that overlap by the stride'
const decodes = 'encodes decoded text to the same ids'
const names = 'maps every id to its token and back, and other numbers to undefined'
const silent = 'omits special tokens in decoding'
const files = 'returns files that survive JSON and load as an equal tokenizer'
const agrees = 'agrees with the alphabet on 1 encodings'

/** Shifts the offsets of text tokens. */
const shifted = (start: number, stop: number) =>
  encoding(({ offsets, specialMask, ...rest }) =>
    offsets === undefined
      ? rest
      : {
          ...rest,
          specialMask: specialMask!,
          offsets: offsets.map(([a, b], i) => (specialMask![i] === 1 ? [a, b] : [a + start, b + stop])),
        },
  )

/** Appends a token to a text of white space that it has seen before. */
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

const withoutOffsets = ({ ids, typeIds, truncated, overflowing = [] }: Encoding): Encoding => ({
  ids,
  typeIds,
  truncated,
  overflowing,
})

/** Continues the offsets of the second text of a pair after those of the first. */
const continued = ({ offsets, ...rest }: Encoding, { pair }: EncodeOptions, text: string): Encoding => {
  if (offsets === undefined) return rest
  if (pair === undefined) return { ...rest, offsets }
  return {
    ...rest,
    offsets: offsets.map(([a, b], i) => (rest.typeIds[i] === 1 ? [a + text.length, b + text.length] : [a, b])),
  }
}

/** Tokenizer specimens. */
export const tokenizers: readonly Specimen[] = [
  valid('letters', () => describeTokenizer(letters, { options: alphabet, golden })),
  broken(
    'returns an id as large as the vocabulary',
    [within, names],
    suite(({ vocabularySize }) => ({ vocabularySize: vocabularySize - 1 })),
  ),
  broken(
    'returns a type id too few',
    [within, limit, same],
    encoding((encoded, options) =>
      Object.keys(options).length > 0 ? encoded : { ...encoded, typeIds: encoded.typeIds.slice(1) },
    ),
  ),
  broken('encodes differently the second time', [within, same, files], suite(learning)),
  broken(
    'exceeds the maximum length by one token',
    [limit, end, windows],
    asking(({ maximumLength = Infinity, ...options }) => ({ ...options, maximumLength: maximumLength + 1 })),
  ),
  broken(
    'reports truncation of a text that just fits',
    [limit],
    encoding((encoded, { maximumLength }) => ({ ...encoded, truncated: encoded.ids.length === maximumLength })),
  ),
  broken(
    'does not report truncation',
    [limit],
    encoding((encoded) => ({ ...encoded, truncated: false })),
  ),
  broken(
    'truncates the shorter text first',
    [limit],
    encoding((encoded, { pair, maximumLength }) =>
      pair === undefined || maximumLength === undefined
        ? encoded
        : { ...encoded, ids: encoded.ids.slice(0, maximumLength - 1) },
    ),
  ),
  broken('shifts offsets to the right', [same, located], shifted(1, 1)),
  broken('shifts offsets to the left', [same, located], shifted(-1, -1)),
  broken('starts offsets one too late', [located], shifted(1, 0)),
  broken('ends offsets one too late', [same, located], shifted(0, 1)),
  broken('returns no offsets', [same, located], encoding(withoutOffsets)),
  broken('continues the offsets of the first text in the second', [located], encoding(continued)),
  broken(
    'does not mark special tokens',
    [same],
    encoding(({ specialMask, ...rest }) =>
      specialMask === undefined ? rest : { ...rest, specialMask: specialMask.map(() => 0) },
    ),
  ),
  broken(
    'ignores addSpecialTokens',
    [same, located, end, windows],
    asking((options) => ({ ...options, addSpecialTokens: true })),
  ),
  broken(
    'always truncates the end',
    [end],
    asking((options) => ({ ...options, truncationSide: 'right' })),
  ),
  broken(
    'always truncates the start',
    [end, windows],
    asking((options) => ({ ...options, truncationSide: 'left' })),
  ),
  broken(
    'returns no windows',
    [windows],
    encoding(({ ids, typeIds, truncated, offsets, specialMask }) => ({
      ids,
      typeIds,
      truncated,
      ...(offsets === undefined ? {} : { offsets, specialMask: specialMask! }),
    })),
  ),
  broken(
    'returns windows that overlap by one token too few',
    [windows],
    asking((options) =>
      options.stride === undefined ? options : { ...options, stride: Math.max(0, options.stride - 1) },
    ),
  ),
  broken(
    'decodes to an additional letter',
    [decodes, silent, located],
    suite(({ decode }) => ({ decode: (ids) => `${decode(ids)}x` })),
  ),
  broken(
    'decodes special tokens',
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
    'has no id for a space',
    [names],
    suite(({ id }) => ({ id: (token) => (token === ' ' ? undefined : id(token)) })),
  ),
  broken(
    'omits letters in its files',
    [files],
    suite(({ files: write }) => ({ files: () => ({ ...write(), 'tokenizer.json': { letters: 'abc' } }) })),
  ),
  broken(
    'returns files that JSON cannot hold',
    [files],
    suite(() => ({ files: () => ({ 'tokenizer.json': new Map([['letters', 'abc']]) }) })),
  ),
  broken(
    'differs from the golden file',
    [agrees],
    encoding((encoded, _, text) => (text === 'abc' ? { ...encoded, ids: [1, 3, 5, 4, 2] } : encoded)),
  ),
  broken('accepts any options', uncheckedFails(1), () =>
    describeTokenizer(unchecked(letters, alphabet), { options: alphabet, golden }),
  ),
]
