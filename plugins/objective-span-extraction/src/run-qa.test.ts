import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import type { Encoding, Tokenizer } from '@attune/core'
import { type QuestionWindow, answerSpan, questionWindows } from '@attune/data'
import { type SpanSettings, bestSpan } from './best-span.js'

type Offsets = readonly (readonly [number, number])[]

/** An encoding of the tokenizers library; `context` is true for the tokens of the second text of a window. */
interface Encoded {
  readonly ids: readonly number[]
  readonly typeIds: readonly number[]
  readonly offsets: Offsets
  readonly context: readonly boolean[] | null
}

interface Case {
  readonly question: string
  readonly context: string
  readonly answer: string | null
  readonly alone: Encoded
  readonly whole: Encoded
  readonly length: number
  readonly stride: number
  readonly windows: readonly Encoded[]
  readonly targets: readonly (readonly [number, number])[]
  readonly logits: readonly (readonly [starts: number[], ends: number[]])[]
  readonly predictions: readonly {
    readonly settings: SpanSettings
    readonly expected: { readonly answer: string; readonly probability: number; readonly noAnswerMargin?: number }
  }[]
}

const golden = JSON.parse(gunzipSync(readFileSync('golden/run-qa.json.gz')).toString()) as {
  source: string
  cases: readonly Case[]
}

/** Tokens of the template have empty offsets. */
const encoding = ({ ids, typeIds, offsets }: Encoded): Encoding => ({
  ids,
  typeIds,
  offsets,
  truncated: false,
  specialMask: offsets.map(([from, to]) => (from === to ? 1 : 0)),
})

/** A tokenizer that knows the texts of a case. */
const tokenizerOf = ({ alone, whole }: Case): Tokenizer =>
  ({ encode: (_: string, { pair }: { pair?: string }) => encoding(pair === undefined ? alone : whole) }) as Tokenizer

const windowsIn = (each: Case): readonly QuestionWindow[] =>
  questionWindows(tokenizerOf(each), each.question, each.context, { maximumLength: each.length, stride: each.stride })
    .windows

const title = ({ question, length, stride }: Case): string => `"${question}" in ${length} tokens, stride ${stride}`

describe(`agrees with ${golden.source}`, () => {
  it.each(golden.cases.map((each) => [title(each), each] as const))('windows and targets of %s', (_, each) => {
    const found = windowsIn(each)
    expect(found.map(({ ids, typeIds }) => ({ ids, typeIds }))).toEqual(
      each.windows.map(({ ids, typeIds }) => ({ ids, typeIds })),
    )
    const own = (values: Offsets, isContext: readonly boolean[]): Offsets => values.filter((_offset, i) => isContext[i])
    expect(found.map(({ offsets }) => offsets)).toEqual(each.windows.map((w) => own(w.offsets, w.context!)))
    expect(found.map(({ first }) => first)).toEqual(each.windows.map(({ context }) => context!.indexOf(true)))
    const answer = each.answer === null ? undefined : { text: each.answer, start: each.context.indexOf(each.answer) }
    expect(found.map((window) => answerSpan(window, answer))).toEqual(each.targets)
  })

  it.each(golden.cases.map((each) => [title(each), each] as const))('best spans of %s', (_, each) => {
    const logits = each.logits.map(([starts, ends]) => ({ starts, ends }))
    for (const { settings, expected } of each.predictions) {
      const { answer, probability, noAnswerMargin, start, end } = bestSpan(
        windowsIn(each),
        logits,
        each.context,
        settings,
      )
      expect([settings, answer]).toEqual([settings, expected.answer])
      expect(probability).toBeCloseTo(expected.probability, 6)
      if (expected.noAnswerMargin !== undefined) expect(noAnswerMargin).toBeCloseTo(expected.noAnswerMargin, 5)
      expect(each.context.slice(start ?? 0, end ?? 0)).toBe(answer)
    }
  })

  it('has cases with an answer in several windows, in the last token of one, in none, and without an answer', () => {
    const targets = golden.cases.map((each) => ({ each, found: each.targets.filter(([start]) => start > 0).length }))
    expect(targets.some(({ found }) => found > 1)).toBe(true)
    expect(targets.some(({ each, found }) => each.answer !== null && found < each.targets.length)).toBe(true)
    const isLast = ({ windows, targets: all }: Case): boolean =>
      all.some(([start], i) => start > 0 && start === windows[i]!.context!.lastIndexOf(true))
    expect(targets.some(({ each }) => isLast(each))).toBe(true)
    const answers = golden.cases.flatMap(({ predictions }) => predictions.map(({ expected }) => expected.answer))
    expect([answers.includes(''), answers.some((answer) => answer !== '')]).toEqual([true, true])
  })
})
