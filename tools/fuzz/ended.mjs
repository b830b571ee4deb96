// @ts-check
/** Outcomes of targets that ended, kept in a folder, so that a campaign that was stopped goes on. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { slug } from './slug.mjs'

/** @import { Outcome } from './campaign.mjs' */

/** An outcome, and how long its target took, in seconds. @typedef {Outcome & { seconds: number }} Ended */

/**
 * @param {string} folder
 * @param {{ seed: number, inputs: number, growth: number }} plan what is asked for: outcomes of fewer inputs, or made otherwise, do
 *   not count
 */
export function endedTargets(folder, plan) {
  const fileOf = (/** @type {string} */ name) => join(folder, slug(name), 'outcome.json')
  return {
    /** The outcome of a target, if it ended without a fault. @param {string} name @returns {Ended | undefined} */
    read(name) {
      if (!existsSync(fileOf(name))) return undefined
      const { plan: kept, outcome } = JSON.parse(readFileSync(fileOf(name), 'utf8'))
      const isEnough = kept.seed === plan.seed && kept.growth === plan.growth && outcome.counts.inputs >= plan.inputs
      return isEnough && outcome.findings.length === 0 ? outcome : undefined
    },
    /** @param {Ended} outcome */
    write(outcome) {
      mkdirSync(join(folder, slug(outcome.name)), { recursive: true })
      writeFileSync(fileOf(outcome.name), JSON.stringify({ plan, outcome }))
    },
  }
}
