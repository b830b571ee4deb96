// @ts-check
/** Replacement for core's `budget.js` that also announces each new budget, so that its steps can be counted. */
import { channel } from 'node:diagnostics_channel'
import { createBudget as create } from '../../packages/core/dist/budget.js'

export * from '../../packages/core/dist/budget.js'

/** Diagnostics channel for new budgets. */
export const BUDGETS = 'attune:fuzz:budgets'
const budgets = channel(BUDGETS)

/** @type {typeof create} */
export const createBudget = (...given) => {
  const budget = create(...given)
  budgets.publish(budget)
  return budget
}
