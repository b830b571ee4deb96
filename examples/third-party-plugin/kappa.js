// @ts-check
import { METRIC, definePlugin } from '@attune/core'
import { z } from 'zod'

/** Counts of each (prediction, reference) pair. @typedef {Readonly<Record<string, number>>} State */

/** @param {State} a @param {State} b @returns {State} */
function sum(a, b) {
  const pairs = new Map(Object.entries(a))
  for (const [pair, count] of Object.entries(b)) pairs.set(pair, (pairs.get(pair) ?? 0) + count)
  return Object.fromEntries(pairs)
}

/** Counts of each label among predictions (0) or references (1). @param {State} state @param {0 | 1} side @returns {Map<string, number>} */
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
 * Cohen's kappa, (p − e) / (1 − e): p is the observed agreement, the fraction of examples on which predictions and references agree;
 * e is the agreement expected by chance from their label frequencies. In [−1, 1]; 0 is chance level. Returns 0 where kappa is undefined,
 * because predictions and references consist of one and the same label.
 * Source: Cohen, A coefficient of agreement for nominal scales, 1960.
 */
export default definePlugin({
  kind: METRIC,
  name: 'kappa',
  summary: "Cohen's kappa: agreement between predictions and references, corrected for chance",
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
