import { describe, expect, it } from '@jest/globals'
import { createBudget } from './budget.js'

const createError = (reason: string): Error => new Error(reason)
const limits = { steps: 100, stepsPerByte: 10, bytes: 1000, bytesPerByte: 2 }

describe('createBudget', () => {
  it('accepts steps up to the limit and throws on the next one', () => {
    const budget = createBudget(5, createError, limits)
    budget.spend(150)
    expect(budget.steps()).toBe(150)
    expect(() => budget.spend(1)).toThrow('it takes more than 150 steps of work for 5 bytes of input')
  })

  it('accepts bytes up to the limit and throws on the next one', () => {
    const budget = createBudget(2000, createError, limits)
    budget.hold(5000)
    expect(() => budget.hold(1)).toThrow('it takes more than 5,000 bytes of memory for 2,000 bytes of input')
  })

  it('raises both limits as more of the input is read', () => {
    const budget = createBudget(0, createError, limits)
    expect(() => budget.spend(101)).toThrow('it takes more than 100 steps')
    budget.allow(10)
    budget.spend(99)
    budget.hold(1020)
    expect(() => budget.hold(1)).toThrow('more than 1,020 bytes')
  })

  it('throws on a count that is not a number', () => {
    expect(() => createBudget(1, createError, limits).spend(Number.NaN)).toThrow('steps of work')
  })

  it('keeps a megabyte within two seconds and 512 MB by default', () => {
    const budget = createBudget(1_000_000, createError)
    budget.spend(210_000_000)
    expect(() => budget.spend(1)).toThrow('steps of work')
    budget.hold(320_000_000)
    expect(() => budget.hold(1)).toThrow('bytes of memory')
  })
})
