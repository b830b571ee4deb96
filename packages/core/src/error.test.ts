import { describe, expect, it } from '@jest/globals'
import { AttuneError, isAttuneError } from './error.js'

describe('AttuneError', () => {
  it('joins problem and remedy in its message, and keeps the cause', () => {
    const cause = new Error('below')
    const error = new AttuneError('BAD_THING', 'a thing must be good, got "bad"', 'Make it good.', { cause })
    expect(error).toBeInstanceOf(Error)
    expect([error.name, error.code, error.cause]).toEqual(['AttuneError', 'BAD_THING', cause])
    expect(error.message).toBe('a thing must be good, got "bad"\nMake it good.')
  })

  it('is recognized by its shape, even if it comes from another copy of the package', () => {
    const foreign = Object.assign(new Error('x'), { code: 'A', problem: 'b', remedy: 'c' })
    expect(isAttuneError(new AttuneError('A', 'b', 'c'))).toBe(true)
    expect(isAttuneError(foreign)).toBe(true)
    for (const other of [
      new Error('x'),
      Object.assign(new Error('x'), { code: 'ENOENT' }),
      {},
      'text',
      undefined,
      null,
    ])
      expect(isAttuneError(other)).toBe(false)
  })
})
