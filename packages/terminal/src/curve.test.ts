import { describe, expect, it } from '@jest/globals'
import { type Point, curve } from './curve.js'

const plain = (_style: string, text: string): string => text
const falling: Point[] = Array.from({ length: 100 }, (_, i) => [i + 1, 2 - i / 99])
const rows = (lines: readonly string[]): string[] => lines.slice(0, 10).map((line) => line.slice(line.indexOf('┤') + 1))
const firstDot = (row: string): number => row.search(/[^ ]/)

describe('curve', () => {
  it('fits the terminal width and labels both axes', () => {
    for (const columns of [40, 80, 120]) {
      const lines = curve(falling, [[50, 1.5]], columns, plain)
      expect(lines).toHaveLength(13)
      expect(Math.max(...lines.slice(0, 12).map((line) => line.length))).toBeLessThanOrEqual(columns)
      expect([lines[0], lines[5], lines[9]].map((line) => line!.split('┤')[0]!.trim())).toEqual(['2', '1.500', '1'])
      expect(lines[11]).toMatch(/step 1 +100$/)
      expect(lines[12]).toMatch(/training loss, smoothed.*● validation loss/)
    }
  })

  it('falls to the right for a decreasing loss', () => {
    const starts = rows(curve(falling, [], 80, plain)).map(firstDot)
    expect(starts[0]).toBe(0)
    expect(starts).toEqual([...starts].sort((a, b) => a - b))
    expect(new Set(starts).size).toBe(10)
  })

  it('connects distant points without gaps', () => {
    const drawn = rows(
      curve(
        [
          [1, 3],
          [1000, 1],
        ],
        [],
        80,
        plain,
      ),
    )
    const filled = new Set(drawn.flatMap((row) => [...row].flatMap((character, i) => (character === ' ' ? [] : [i]))))
    expect(filled.size).toBe(Math.max(...filled) + 1)
  })

  it('marks the validation losses at their steps', () => {
    const marks: Point[] = [
      [1, 2],
      [100, 1],
    ]
    const drawn = rows(curve(falling, marks, 80, plain))
    expect(drawn[0]!.indexOf('●')).toBe(0)
    expect(drawn[9]!.indexOf('●')).toBe(drawn[9]!.length - 1)
    expect(drawn.join('').match(/●/g)).toHaveLength(2)
  })

  it('plots a constant loss and ignores values that are not finite', () => {
    const odd: Point[] = [
      [1, 0.5],
      [2, Number.NaN],
      [3, 0.5],
      [4, Infinity],
    ]
    const lines = curve(odd, [[3, Number.NaN]], 80, plain)
    expect(rows(lines).filter((row) => row.trim() !== '')).toHaveLength(1)
    expect(lines.join('\n')).not.toMatch(/NaN|Infinity|●/)
  })

  it('returns no lines for fewer than two points', () => {
    expect(curve([], [[1, 1]], 80, plain)).toEqual([])
    expect(curve([[1, 1]], [], 80, plain)).toEqual([])
  })
})
