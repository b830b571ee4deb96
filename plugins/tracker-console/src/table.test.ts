import { describe, expect, it } from '@jest/globals'
import { column, table } from './table.js'

describe('table', () => {
  it('stands the first column left and the others right', () =>
    expect(
      table(
        ['label', 'f1', 'support'],
        [
          ['python', '0.5', '120'],
          ['x', '1', '3'],
        ],
      ),
    ).toEqual(['  label    f1  support', '  python  0.5      120', '  x         1        3']))

  it('counts wide characters as the terminal does', () =>
    expect(
      table(
        ['label', 'f1'],
        [
          ['日本', '0.5'],
          ['ascii', '1.0'],
        ],
      ),
    ).toEqual(['  label   f1', '  日本   0.5', '  ascii  1.0']))

  it('cuts long cells, keeps them on one line, and takes missing ones as empty', () => {
    const [, long, missing] = table(['label', 'f1'], [[`${'a\n'.repeat(40)}`, '1'], ['b']])
    expect(long).toMatch(/^ {2}(a )+a?…\s+1$/)
    expect(long!.length).toBeLessThanOrEqual(2 + 40 + 2 + 2)
    expect(missing).toBe('  b')
  })
})

describe('column', () => {
  it('writes counts whole', () => expect(column([120, 3, 0])).toEqual(['120', '3', '0']))
  it('writes shares with four decimals, whole ones too', () =>
    expect(column([1, 0, 1])).toEqual(['1.0000', '0.0000', '1.0000']))
  it('leaves what is missing empty', () => expect(column([0.25, undefined])).toEqual(['0.2500', '']))
})
