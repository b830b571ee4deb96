import { describe, expect, it } from '@jest/globals'
import {
  type Sizes,
  addExpressions,
  evaluate,
  fitExpression,
  multiplyExpressions,
  parseDimension,
  samplePoints,
  textOf,
} from './expression.js'

const AXES = ['batch', 'past', 'length']

/** Expression fitted to a function of the sizes. */
function fitted(value: (sizes: Sizes) => number): string | undefined {
  const found = fitExpression(samplePoints(AXES).map((sizes) => ({ sizes, value: value(sizes) })))
  return found && textOf(found)
}

describe('fitExpression', () => {
  it('returns constants, sums, multiples and products of sizes', () => {
    expect(fitted(() => 7)).toBe('7')
    expect(fitted(() => 0)).toBe('0')
    expect(fitted(({ batch }) => batch!)).toBe('batch')
    expect(fitted(({ past, length }) => past! + length!)).toBe('length + past')
    expect(fitted(({ length }) => 12 * length! - 1)).toBe('-1 + 12 * length')
    expect(fitted(({ batch, length }) => batch! * length!)).toBe('batch * length')
    expect(fitted(({ batch, past, length }) => 4 * batch! * (past! + length!) + 2)).toBe(
      '2 + 4 * batch * length + 4 * batch * past',
    )
  })

  it('returns undefined for other functions: powers, quotients, maxima', () => {
    expect(fitted(({ length }) => length! ** 2)).toBeUndefined()
    expect(fitted(({ length, past }) => length! * (length! + past!))).toBeUndefined()
    expect(fitted(({ length }) => Math.ceil(length! / 2))).toBeUndefined()
    expect(fitted(({ length }) => Math.max(length!, 128))).toBeUndefined()
    expect(fitted(({ length }) => 1 / length!)).toBeUndefined()
    expect(fitted(({ batch, past, length }) => batch! * past! * length!)).toBeUndefined()
  })
})

describe('expressions', () => {
  it('are added, multiplied and parsed', () => {
    const sum = parseDimension('past + length')
    expect(textOf(addExpressions(sum, parseDimension(3)))).toBe('3 + length + past')
    expect(textOf(multiplyExpressions(parseDimension(2), sum))).toBe('2 * length + 2 * past')
    expect(evaluate(multiplyExpressions(sum, sum), { past: 2, length: 3 })).toBe(25)
    expect(
      textOf(addExpressions(parseDimension('past'), multiplyExpressions(parseDimension(-1), parseDimension('past')))),
    ).toBe('0')
  })
})
