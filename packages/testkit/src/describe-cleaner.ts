import type { AnyPlugin, Cleaner } from '@attune/core'
import { applyEdits, requireEdits } from '@attune/data'
import { describeOptions } from './describe-options.js'
import { describe, expect, it } from './runner.js'

/** A text before and after cleaning. */
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
 * Contract of a cleaner: returns sorted edits within the text that do not overlap; no edits for a cleaned text; the same edits for
 * the same text every time; and the expected texts of the cases.
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

    it('returns edits within the text, sorted and without overlaps', () => {
      for (const text of texts) requireEdits(text.length, make().edits(text))
    })

    it('is idempotent: a cleaned text has no edits', () => {
      for (const text of texts) {
        const once = applyEdits(text, make().edits(text))
        expect([text, make().edits(once)]).toEqual([text, []])
      }
    })

    it('returns the same edits for the same text every time', () => {
      const cleaner = make()
      const forwards = texts.map((text) => cleaner.edits(text))
      // Several times: a regular expression with `g` continues where it last stopped.
      for (const [i, text] of texts.entries())
        for (let again = 0; again < 5; again++) expect(cleaner.edits(text)).toEqual(forwards[i])
      const backwards = [...texts].reverse().map((text) => cleaner.edits(text))
      expect(backwards.reverse()).toEqual(forwards)
    })

    for (const { options: given = options, text, cleaned } of cases)
      it(`cleans ${JSON.stringify(text)} to ${JSON.stringify(cleaned)}`, () =>
        expect(applyEdits(text, make(given).edits(text))).toBe(cleaned))
  })
}
