import { describe, expect, it } from '@jest/globals'
import type { AnyPlugin, Cleaner } from '@attune/core'
import { describeOptions } from './describe-options.js'

/** A text and what is left of it. */
export interface CleanerCase {
  readonly options?: Readonly<Record<string, unknown>>
  readonly text: string
  readonly cleaned: string
}

const TEXTS = [
  '',
  ' \t\r\n \u00a0\u3000 ',
  'A short sentence, with punctuation.',
  '  two  spaces,\n\n\nthree lines ',
  'Ünïcödé: é e\u0301, ß, İ, ﬁ, ΣΑΣ',
  '👨‍👩‍👧‍👦 🇩🇪 ❤️',
  'مرحبا بالعالم שלום עולם 汉字',
  'lone \ud800 surrogate \udc00 halves',
  'control \u0000\u0007\u009f characters \ufeff\u200b',
  '<p>tags &amp; &amp;amp; <b>entities</p>',
  'http://example.org/a?b=c me@example.org @someone #tag',
  '<<b>>&lt;&amp;lt;'.repeat(20),
]

/**
 * The contract of a cleaner: cleaning a cleaned text changes nothing, for awkward texts too; the same text is cleaned alike
 * every time; `changes` is 0 exactly where the text is left as it was; and the texts of the cases come out as expected.
 */
export function describeCleaner(
  plugin: AnyPlugin,
  {
    options = {},
    cases,
  }: { readonly options?: Readonly<Record<string, unknown>>; readonly cases: readonly CleanerCase[] },
): void {
  describe(`cleaner ${plugin.name}`, () => {
    const make = (given = options): Cleaner => plugin(given) as Cleaner
    const texts = [...TEXTS, ...cases.flatMap(({ text, cleaned }) => [text, cleaned])]
    describeOptions(plugin, options)

    it('changes nothing in a cleaned text', () => {
      for (const text of texts) {
        const once = make().clean(text).text
        expect([text, make().clean(once)]).toEqual([text, { text: once, changes: 0 }])
      }
    })

    it('cleans a text alike every time', () => {
      const cleaner = make()
      const forwards = texts.map((text) => cleaner.clean(text))
      // Again and again: a regular expression with `g` goes on from where it last stopped.
      for (const [i, text] of texts.entries())
        for (let again = 0; again < 5; again++) expect(cleaner.clean(text)).toEqual(forwards[i])
      const backwards = [...texts].reverse().map((text) => cleaner.clean(text))
      expect(backwards.reverse()).toEqual(forwards)
    })

    it('counts changes where it made some, and nowhere else', () => {
      for (const text of texts) {
        const { text: cleaned, changes } = make().clean(text)
        expect(Number.isInteger(changes) && changes >= 0).toBe(true)
        expect([text, changes > 0]).toEqual([text, cleaned !== text])
      }
    })

    for (const { options: given = options, text, cleaned } of cases)
      it(`makes ${JSON.stringify(cleaned)} of ${JSON.stringify(text)}`, () =>
        expect(make(given).clean(text).text).toBe(cleaned))
  })
}
