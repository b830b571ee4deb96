// @ts-check
/** Tables of the comparison of fine-tuning methods: means over seeds with 95 % intervals of Student's t-distribution. */
import { GROUPS } from './method-cells.mjs'

/** A finished cell. @typedef {import('./method-cells.mjs').Cell & { key: string, accuracy: number, f1: number, share: number, seconds: number, peakBytes: number, steps: number, failure?: undefined }} Done */
/** A failed cell. @typedef {import('./method-cells.mjs').Cell & { key: string, failure: string }} Failed */

/** 97.5 % quantiles of Student's t-distribution with 1 to 9 degrees of freedom. */
const QUANTILES = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262]

/** @param {readonly number[]} values */
const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length

/**
 * Mean, and half the width of its 95 % confidence interval: t · s / √n. @param {readonly number[]} values 2 to 10 of them; NaN for one
 */
export function interval(values) {
  const mean = meanOf(values)
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
  return { mean, half: (QUANTILES[values.length - 2] ?? NaN) * Math.sqrt(variance / values.length) }
}

/** @param {readonly number[]} values in [0, 1] */
const score = (values) => {
  const { mean, half } = interval(values)
  const about = values.length < 2 ? '' : ` ± ${(100 * half).toFixed(1)}`
  return `${(100 * mean).toFixed(1)}${about}`
}

/** @param {number} share in [0, 1] */
const percent = (share) => `${(100 * share).toFixed(share < 0.01 ? 2 : 1)} %`

export const COLUMNS = ['method', 'learning rate', 'accuracy', 'macro F1', 'trainable', 'seconds', 'peak MB', 'seeds']

/** Results by method, best mean accuracy first. @param {readonly Done[]} done @returns {string[][]} */
export function rowsOf(done) {
  const names = [...new Set(done.map(({ name }) => name))]
  return names
    .map((name) => done.filter((each) => each.name === name))
    .sort((a, b) => meanOf(b.map(({ accuracy }) => accuracy)) - meanOf(a.map(({ accuracy }) => accuracy)))
    .map((cells) => [
      cells[0]?.name ?? '',
      String(cells[0]?.rate),
      score(cells.map(({ accuracy }) => accuracy)),
      score(cells.map(({ f1 }) => f1)),
      percent(cells[0]?.share ?? NaN),
      meanOf(cells.map(({ seconds }) => seconds)).toFixed(1),
      (Math.max(...cells.map(({ peakBytes }) => peakBytes)) / 1e6).toFixed(),
      String(cells.length),
    ])
}

const TITLES = { sections: 'Debian sections', spam: 'spam' }

/** All tables, with a title each. @param {readonly (Done | Failed)[]} results @returns {{ title: string, rows: string[][] }[]} */
export const tablesOf = (results) =>
  GROUPS.flatMap((group) =>
    /** @type {const} */ (['sections', 'spam']).flatMap((set) => {
      const done = results.flatMap((each) =>
        each.group === group && each.set === set && each.failure === undefined ? [each] : [],
      )
      const title = `${group[0]?.toUpperCase()}${group.slice(1)}: ${TITLES[set]}`
      return done.length === 0 ? [] : [{ title, rows: rowsOf(done) }]
    }),
  )

/** Methods that failed, with the first reason. @param {readonly (Done | Failed)[]} results @returns {string[]} */
export const failuresOf = (results) => {
  const failed = results.flatMap((each) => (each.failure === undefined ? [] : [each]))
  const names = [...new Set(failed.map(({ set, name }) => `${TITLES[set]}, ${name}`))]
  return names.map((name) => {
    const first = failed.find((each) => `${TITLES[each.set]}, ${each.name}` === name)
    return `- ${name}: ${first?.failure ?? ''}`
  })
}
