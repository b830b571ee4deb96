// @ts-check
import { METRIC, definePlugin } from '@attune/core'
import { z } from 'zod'

/** @typedef {Readonly<Record<string, number>>} State how often each pair of prediction and reference occurred */

/** @param {State} a @param {State} b @returns {State} */
function sum(a, b) {
  const pairs = new Map(Object.entries(a))
  for (const [pair, count] of Object.entries(b)) pairs.set(pair, (pairs.get(pair) ?? 0) + count)
  return Object.fromEntries(pairs)
}

/** @param {State} state @param {0 | 1} side @returns {Map<string, number>} how often each label occurs on one side */
function counts(state, side) {
  const found = new Map()
  for (const [pair, count] of Object.entries(state)) {
    const label = JSON.parse(pair)[side]
    found.set(label, (found.get(label) ?? 0) + count)
  }
  return found
}

/** @param {State} state */
function kappaOf(state) {
  const [predicted, true_] = [counts(state, 0), counts(state, 1)]
  const all = Object.values(state).reduce((total, count) => total + count, 0)
  const agreed = [...true_.keys()].reduce((total, label) => total + (state[JSON.stringify([label, label])] ?? 0), 0)
  const byChance = [...true_].reduce((total, [label, n]) => total + (n / all) * ((predicted.get(label) ?? 0) / all), 0)
  return all === 0 || byChance === 1 ? 0 : (agreed / all - byChance) / (1 - byChance)
}

/**
 * Cohen's kappa, (p − e) / (1 − e): p is the share of examples on which predictions and references agree, e the share
 * that would agree if each side drew from its own label frequencies. In [−1, 1], and 0 for agreement by chance; it is
 * undefined, and given as 0, when both sides know one label only.
 * Source: Cohen, A coefficient of agreement for nominal scales, 1960.
 */
export default definePlugin({
  kind: METRIC,
  name: 'kappa',
  summary: "Cohen's kappa: agreement beyond what chance would give",
  source: 'Cohen, A coefficient of agreement for nominal scales, 1960',
  options: z.strictObject({}),
  create: () => ({
    name: 'kappa',
    compares: 'label',
    direction: 'maximize',
    range: [-1, 1],
    init: () => ({}),
    /** @param {State} state */
    add: (state, predictions, references) =>
      predictions.reduce(
        (/** @type {State} */ total, label, i) => sum(total, { [JSON.stringify([label, references[i]])]: 1 }),
        state,
      ),
    merge: sum,
    result: (/** @type {State} */ state) => ({ value: kappaOf(state) }),
  }),
})
