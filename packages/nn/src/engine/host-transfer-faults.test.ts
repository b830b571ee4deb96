import { describe, expect, it } from '@jest/globals'
import { toDevice } from './host-transfer.js'

const whole = { shape: [2], dtype: 'float32', values: Float32Array.of(1, 2) }

describe('toDevice', () => {
  it.each([
    ['a text', { x: 'abc' }, '"x": expected a host array { shape, dtype, values }, got "abc"'],
    ['nothing', undefined, 'expected a host array { shape, dtype, values }, got nothing'],
    ['a plain list', { a: { b: [1, 2] } }, '"a.b": expected a host array'],
    [
      'another type',
      { x: { ...whole, dtype: 'float64' } },
      '"x": expected the type float32, int32 or bool, got "float64"',
    ],
    ['a shape with other values', { x: { ...whole, shape: [3] } }, '"x": expected 3 values for shape [3], got 2'],
    ['no shape', { x: { ...whole, shape: undefined } }, '"x": expected a list of lengths as shape, got nothing'],
  ])('rejects %s and names its path', (_, tree, problem) => {
    expect(() => toDevice(tree as never)).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT', problem: expect.stringContaining(problem) }),
    )
  })
})
