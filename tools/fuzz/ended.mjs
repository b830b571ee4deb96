// @ts-check
/** Stored outcomes of finished targets, so that a stopped campaign can be resumed. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { slug } from './slug.mjs'

/** @import { Outcome } from './campaign.mjs' */

/** An outcome and its duration in seconds. @typedef {Outcome & { seconds: number }} Ended */

/**
 * @param {string} folder
 * @param {{ seed: number, inputs: number, growth: number }} plan the requested settings: outcomes with fewer inputs or other settings are
 *   ignored
 */
export function endedTargets(folder, plan) {
  const fileOf = (/** @type {string} */ name) => join(folder, slug(name), 'outcome.json')
  return {
    /** Outcome of a target, if it ended without a finding. @param {string} name @returns {Ended | undefined} */
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
