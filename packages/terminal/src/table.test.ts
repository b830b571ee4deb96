import { describe, expect, it } from '@jest/globals'
import { column, shorten, table } from './table.js'

describe('table', () => {
  it('aligns numbers right and words left', () =>
    expect(
      table(
        ['label', 'f1', 'support', 'about'],
        [
          ['python', '0.5', '120', 'a snake'],
          ['x', 'NaN', '1,003', 'a letter'],
        ],
      ),
    ).toEqual(['label    f1  support  about', 'python  0.5      120  a snake', 'x       NaN    1,003  a letter']))

  it('uses the display width of wide characters', () =>
    expect(
      table(
        ['label', 'f1'],
        [
          ['日本', '0.5'],
          ['ascii', '1.0'],
        ],
      ),
    ).toEqual(['label   f1', '日本   0.5', 'ascii  1.0']))

  it('treats missing cells as empty and trims trailing blanks', () =>
    expect(table(['label', 'f1'], [['a', '1'], ['b']])).toEqual(['label  f1', 'a       1', 'b']))
})

describe('shorten', () => {
  it('puts a text on one line and truncates it', () => {
    expect(shorten('a\nb', 10)).toBe('a b')
    expect(shorten('abcdef', 4)).toBe('abc…')
    expect(shorten('日本日本', 4)).toBe('日…')
  })
})

describe('column', () => {
  it('formats counts as integers', () => expect(column([120, 3, 0])).toEqual(['120', '3', '0']))
  it('formats fractions with four decimals, even 0 and 1', () =>
    expect(column([1, 0, 1])).toEqual(['1.0000', '0.0000', '1.0000']))
  it('leaves missing values empty', () => expect(column([0.25, undefined])).toEqual(['0.2500', '']))
})
