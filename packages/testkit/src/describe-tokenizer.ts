import { type AnyPlugin, type Tokenizer, key, stream } from '@attune/core'
import { describeOptions } from './describe-options.js'
import { itPromises } from './exceptions.js'
import { describe, expect, it } from './runner.js'

/** Encodings computed by another library: ids and type ids by text. */
export interface TokenizerGolden {
  readonly source: string
  readonly encodings: readonly {
    readonly text: string
    readonly pair?: string
    readonly maximumLength?: number
    readonly ids: readonly number[]
    readonly typeIds?: readonly number[]
  }[]
}

/** Texts in many scripts, with known edge cases. */
const TEXTS = [
  '',
  ' \t\n',
  'A short sentence, with punctuation.',
  'Ünïcödé: é e\u0301, ß, İ, ΣΑΣ',
  '汉字 and kana かな, mixed漢字text',
  '👨‍👩‍👧‍👦 🇩🇪 ❤️',
  'مرحبا بالعالم שלום עולם',
  'lone \ud800 surrogate \udc00 halves',
  'control \u0000\u0007\u009f characters \ufeff',
  'x'.repeat(300),
  '[CLS] special [SEP] tokens [MASK] <s> </s>',
]

/** A plain text in which any tokenizer locates the words correctly. */
const PLAIN = 'a short sentence, with punctuation: 12 words or less'

/** Lower-case letters and digits of a token or text, without punctuation, markers and spaces. */
const bare = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '')

/** Joins `count` random words of the texts above. */
function jumble(count: number, seed: number): string {
  const random = stream(key(seed))
  const words = TEXTS.flatMap((text) => text.split(' '))
  return Array.from({ length: count }, () => words[Math.floor(random() * words.length)]).join(' ')
}

/**
 * Contract of a tokenizer: returns the same ids for the same text, all within the vocabulary; at most `maximumLength` tokens, with
 * `truncated` exactly if tokens were dropped, on the requested side, and with overflowing windows on request; offsets within the text
 * that match the letters of each token; decoded text encodes to the same ids (else `exceptions.decoding` states why not); its files
 * load as an equal tokenizer through `reload`; and the ids match another library.
 */
export function describeTokenizer(
  plugin: AnyPlugin,
  {
    options,
    golden,
    reload = (files) => ({ json: files['tokenizer.json'] }),
  }: {
    readonly options: Readonly<Record<string, unknown>>
    readonly golden?: TokenizerGolden
    /** Options that load a tokenizer from its files. */
    readonly reload?: (files: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
  },
): void {
  describe(`tokenizer ${plugin.name}`, () => {
    describeOptions(plugin, options)
    const tokenizer = plugin(options) as Tokenizer
    const texts = [...TEXTS, ...[1, 2, 3].map((seed) => jumble(40, seed))]

    it('returns ids within the vocabulary, as many type ids, and the same every time', () => {
      for (const text of texts) {
        const encoding = tokenizer.encode(text)
        expect(encoding.typeIds).toHaveLength(encoding.ids.length)
        expect(encoding.ids.every((id) => Number.isInteger(id) && id >= 0 && id < tokenizer.vocabularySize)).toBe(true)
        expect(tokenizer.encode(text)).toEqual(encoding)
        expect(encoding.truncated).toBe(false)
      }
    })

    it('returns at most maximumLength tokens, and reports truncation', () => {
      const special = tokenizer.encode('', { pair: '' }).ids.length
      for (const text of texts)
        for (const pair of [undefined, jumble(7, 9)])
          for (const maximumLength of [special, special + 1, special + 2, special + 7, 64, 10_000]) {
            const both = pair === undefined ? {} : { pair }
            const whole = tokenizer.encode(text, both)
            const shortened = tokenizer.encode(text, { ...both, maximumLength })
            expect(shortened.ids.length).toBe(Math.min(whole.ids.length, maximumLength))
            expect(shortened.truncated).toBe(whole.ids.length > maximumLength)
            if (!shortened.truncated) expect(shortened).toEqual(whole)
          }
    })

    describeOffsets(tokenizer, texts)
    describeTruncation(tokenizer, texts)

    const lossless = { kept: 'encodes decoded text to the same ids', excused: 'decodes lossily' }
    itPromises(plugin, 'decoding', lossless, (reason) => {
      if (reason !== undefined) return expect(reason).toMatch(/\w/)
      for (const text of texts) {
        const decoded = tokenizer.decode(tokenizer.encode(text).ids)
        const again = tokenizer.encode(tokenizer.decode(tokenizer.encode(decoded).ids))
        expect(again).toEqual(tokenizer.encode(decoded))
      }
    })

    it('maps every id to its token and back, and other numbers to undefined', () => {
      for (const id of new Set(tokenizer.encode(texts.join(' ')).ids)) {
        const token = tokenizer.token(id)
        expect([token, tokenizer.id(token as string)]).toEqual([token, id])
      }
      for (const id of [-1, tokenizer.vocabularySize, 0.5]) expect(tokenizer.token(id)).toBeUndefined()
    })

    it('omits special tokens in decoding', () => {
      for (const id of [tokenizer.special.pad, tokenizer.special.begin, tokenizer.special.end])
        if (id !== undefined) expect(tokenizer.decode([id]).trim()).toBe('')
    })

    it('returns files that survive JSON and load as an equal tokenizer', () => {
      const files = JSON.parse(JSON.stringify(tokenizer.files())) as Record<string, unknown>
      const twin = plugin(reload(files)) as Tokenizer
      expect(twin.vocabularySize).toBe(tokenizer.vocabularySize)
      expect(twin.special).toEqual(tokenizer.special)
      for (const text of texts) expect(twin.encode(text)).toEqual(tokenizer.encode(text))
    })

    if (golden !== undefined)
      it(`agrees with ${golden.source} on ${golden.encodings.length} encodings`, () => {
        for (const { text, pair, maximumLength, ids, typeIds } of golden.encodings) {
          const how = {
            ...(pair === undefined ? {} : { pair }),
            ...(maximumLength === undefined ? {} : { maximumLength }),
          }
          const encoding = tokenizer.encode(text, how)
          expect([text, pair, maximumLength, encoding.ids]).toEqual([text, pair, maximumLength, ids])
          if (typeIds !== undefined) expect(encoding.typeIds).toEqual(typeIds)
        }
      })
  })
}

function describeOffsets(tokenizer: Tokenizer, texts: readonly string[]): void {
  it('returns the same tokens with offsets, and empty offsets for special tokens', () => {
    for (const text of texts) {
      const { offsets, specialMask, ...encoding } = tokenizer.encode(text, { offsets: true })
      expect(encoding).toEqual(tokenizer.encode(text))
      expect([offsets?.length, specialMask?.length]).toEqual([encoding.ids.length, encoding.ids.length])
      const wrong = offsets!.filter(([start, end], i) =>
        specialMask![i] === 1 ? start !== 0 || end !== 0 : !(start >= 0 && start <= end && end <= text.length),
      )
      expect([text, wrong]).toEqual([text, []])
      const own = encoding.ids.filter((_, i) => specialMask![i] === 0)
      expect(tokenizer.encode(text, { addSpecialTokens: false }).ids).toEqual(own)
    }
  })

  it('returns the offsets of the letters of each token', () => {
    const { ids, offsets } = tokenizer.encode(PLAIN, { offsets: true, addSpecialTokens: false })
    const spelled = ids.map((id) => (id === tokenizer.special.unknown ? '' : bare(tokenizer.decode([id]))))
    // Word-start markers have the offsets of the next character, or empty ones.
    const found = ids.map((_, i) => (spelled[i] === '' ? '' : bare(PLAIN.slice(...offsets![i]!))))
    expect(found).toEqual(spelled)
    const offsetsOf = (pair: object) =>
      tokenizer.encode(PLAIN, { ...pair, offsets: true, addSpecialTokens: false }).offsets!
    expect(offsetsOf({ pair: PLAIN })).toEqual([...offsetsOf({}), ...offsetsOf({})])
  })
}

function describeTruncation(tokenizer: Tokenizer, texts: readonly string[]): void {
  const plainly = { addSpecialTokens: false } as const

  it('truncates the end of the text, or the start with truncationSide: left', () => {
    for (const text of texts) {
      const { ids } = tokenizer.encode(text, plainly)
      for (const maximumLength of [1, 5, 20].filter((length) => length < ids.length)) {
        const truncated = (truncationSide: 'left' | 'right'): readonly number[] =>
          tokenizer.encode(text, { ...plainly, maximumLength, truncationSide }).ids
        expect(truncated('right')).toEqual(ids.slice(0, maximumLength))
        expect(truncated('left')).toEqual(ids.slice(-maximumLength))
      }
    }
  })

  it('returns the overflow in windows that overlap by the stride', () => {
    for (const text of texts) {
      const whole = tokenizer.encode(text, plainly).ids
      for (const [maximumLength, stride] of [
        [5, 0],
        [8, 3],
      ] as const) {
        const first = tokenizer.encode(text, { ...plainly, maximumLength, stride })
        const windows = [first, ...(first.overflowing ?? [])].map(({ ids }) => ids)
        expect(windows.filter(({ length }) => length > maximumLength)).toEqual([])
        expect(windows.flatMap((ids, i) => (i === 0 ? ids : ids.slice(stride)))).toEqual(whole)
        for (const [i, ids] of windows.slice(1).entries())
          expect(ids.slice(0, stride)).toEqual(windows[i]!.slice(windows[i]!.length - stride))
      }
    }
  })
}
