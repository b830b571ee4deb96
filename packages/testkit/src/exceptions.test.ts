import { describe, expect, it } from '@jest/globals'
import { METRIC, OPTIMIZER, type Optimizer, definePlugin, isAttuneError } from '@attune/core'
import { z } from 'zod'
import { EXCEPTIONS, checkPromise, exceptionOf, requireExceptions } from './exceptions.js'

const optimizer = (exceptions: Readonly<Record<string, string>>) =>
  definePlugin({
    kind: OPTIMIZER,
    name: 'still',
    summary: 'Leaves all parameters as they are',
    options: z.strictObject({}),
    exceptions,
    create: (): Optimizer => ({ init: () => ({}), update: (grads, state) => ({ updates: grads, state }) }),
  })

const messageOf = async (call: () => unknown): Promise<string> => {
  try {
    await call()
  } catch (error) {
    return isAttuneError(error) ? `${error.code}: ${error.problem} ${error.remedy}` : (error as Error).message
  }
  return ''
}

describe('the exceptions of a contract', () => {
  it('are listed by kind, each with the promise that it waives', () => {
    expect(Object.keys(EXCEPTIONS.model)).toEqual(['attentions', 'dropout', 'gradients', 'packing'])
    expect(
      Object.values(EXCEPTIONS)
        .flatMap((each) => Object.values(each))
        .filter((each) => !/\w/.test(each)),
    ).toEqual([])
  })

  it('are accepted in a manifest, and an unknown one is rejected with the nearest name', async () => {
    expect(exceptionOf(optimizer({ parabola: 'it does not move' }), 'parabola')).toBe('it does not move')
    expect(exceptionOf(optimizer({}), 'parabola')).toBeUndefined()
    requireExceptions(optimizer({ rosenbrock: 'it does not move' }))
    expect(await messageOf(() => requireExceptions(optimizer({ parabolla: 'a typo' })))).toBe(
      'UNKNOWN_EXCEPTION: optimizer still: expected an exception to the contract of the kind optimizer (leastSquares, logistic, parabola, rosenbrock), got "parabolla" Did you mean parabola?',
    )
  })

  it('are rejected for a kind without any, and in the call of a suite', async () => {
    const metric = Object.assign(optimizer({ order: 'it has one' }), { kind: METRIC })
    expect(await messageOf(() => requireExceptions(metric))).toContain('(it has none), got "order" Remove "order"')
    expect(await messageOf(() => exceptionOf(optimizer({}), 'packing'))).toContain('got "packing"')
  })

  it('are named by the failure of the test that they would excuse, in its message and stack', async () => {
    const failure = new Error('the loss is 14')
    const failing = () => {
      throw failure
    }
    expect(await messageOf(() => checkPromise(optimizer({}), 'parabola', failing))).toBe(
      "the loss is 14\n\nA technique that cannot keep this promise declares it in the manifest: exceptions: { parabola: 'the reason' }.",
    )
    expect(failure.stack).toContain("exceptions: { parabola: 'the reason' }")
  })

  it('are named by the failure of a plugin that keeps the promise after all', async () => {
    const excused = optimizer({ parabola: 'it does not move' })
    const failing = () => Promise.reject(new Error('the loss is 0'))
    expect(await messageOf(() => checkPromise(excused, 'parabola', failing))).toContain('remove exceptions.parabola')
  })
})
