// @ts-check
/** Stands in for core's `budget.js`: the same, and each budget that is made is announced, so that its steps can be read. */
import { channel } from 'node:diagnostics_channel'
import { createBudget as create } from '../../packages/core/dist/budget.js'

export * from '../../packages/core/dist/budget.js'

/** The channel on which budgets are announced. */
export const BUDGETS = 'attune:fuzz:budgets'
const budgets = channel(BUDGETS)

/** @type {typeof create} */
export const createBudget = (...given) => {
  const budget = create(...given)
  budgets.publish(budget)
  return budget
}
