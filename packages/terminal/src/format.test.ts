import { describe, expect, it } from '@jest/globals'
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatNumber,
  formatProgress,
  formatShort,
  printable,
} from './format.js'

describe('formatted numbers', () => {
  it.each([
    [0, '0'],
    [0.43214, '0.4321'],
    [12.3456, '12.35'],
    [1234.5, '1,235'],
    [3, '3'],
    [5e-5, '5.00e-5'],
    [-0.5, '-0.5000'],
    [2e6, '2.00e+6'],
    [Number.NaN, 'NaN'],
    [Infinity, 'Infinity'],
  ])('formatNumber(%p) returns %p', (value, text) => expect(formatNumber(value)).toBe(text))

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [52_631_040, '52.6 MB'],
    [1.5e15, '1500 TB'],
  ])('formatBytes(%p) returns %p', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

  it.each([
    [0, '0.0 s'],
    [9.949, '9.9 s'],
    [9.96, '10 s'],
    [59.4, '59 s'],
    [59.6, '1 min 00 s'],
    [185, '3 min 05 s'],
    [3599.7, '1 h 00 min'],
    [3725, '1 h 02 min'],
    [183_600, '2 d 03 h'],
    [Number.NaN, '?'],
    [Infinity, '?'],
    [-1, '?'],
  ])('formatDuration(%p) returns %p', (seconds, text) => expect(formatDuration(seconds)).toBe(text))

  it('formatProgress includes the rate and the remaining time', () => {
    const given = { plugin: 'tokenizer bpe', phase: 'tokens learned', done: 2000, seconds: 4 }
    expect(formatProgress({ ...given, total: 8000 })).toBe(
      'tokenizer bpe: 2,000 of 8,000 tokens learned  500/s  12 s left',
    )
    expect(formatProgress(given)).toBe('tokenizer bpe: 2,000 tokens learned  500/s')
    expect(formatProgress({ ...given, done: 0, total: 9 })).toBe('tokenizer bpe: 0 of 9 tokens learned')
  })

  it('formatCount and formatShort format counts', () => {
    expect(formatCount(12345)).toBe('12,345')
    expect(formatShort(4_385_920)).toBe('4.39M')
  })
})

describe('printable', () => {
  it('replaces control characters in strings and keys at any depth, except line endings', () => {
    const value = { 'a\u001b[2J': ['\u0007x', { deep: 'line\nline\u009b' }], number: 1, nothing: null }
    expect(printable(value)).toEqual({ 'a�[2J': ['�x', { deep: 'line\nline�' }], number: 1, nothing: null })
  })
})
