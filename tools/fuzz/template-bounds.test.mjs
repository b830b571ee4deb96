// @ts-check
/** Renders templates that would exhaust time or memory, with the limits of chat templates. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { createBudget } from '@attune/core'
import { compile, readVariables } from '../../packages/text/dist/jinja/render-template.js'
import { ATTACKS } from './template-attacks.mjs'

/** Limits of chat templates. */
const LIMITS = { steps: 10_000_000, stepsPerByte: 200, bytes: 64_000_000, bytesPerByte: 128 }
/** Maximum template length in bytes; its allowance is a quarter of that of the largest conversation. */
const LONGEST = 200_000
/** Maximum CPU time in seconds: ten times that of the slowest template. */
const SECONDS = 8
const MEGABYTES = 512

/** @param {string} template */
function rendered(template) {
  const begun = process.cpuUsage()
  let said = 'rendered'
  const budget = createBudget(LONGEST, (why) => new Error(why), LIMITS)
  try {
    compile(template, budget)(readVariables({}, budget), budget)
  } catch (error) {
    said = /** @type {Error} */ (error).message
  }
  const { user, system } = process.cpuUsage(begun)
  return { seconds: (user + system) / 1e6, said }
}

/** Program that renders a template in its own process and prints the peak memory in MB. */
const IN_PROCESS = `
import { createBudget } from '@attune/core'
import { ATTACKS } from './template-attacks.mjs'
import { compile, readVariables } from '../../packages/text/dist/jinja/render-template.js'
const [, template] = ATTACKS.find(([name]) => name === process.argv[1])
const budget = createBudget(1_000_000, (why) => new Error(why), ${JSON.stringify(LIMITS)})
try { compile(template, budget)(readVariables({}, budget), budget) } catch {}
process.stdout.write(String(process.resourceUsage().maxRSS / 1024))`

/** @param {string} name */
function megabytesOf(name) {
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', IN_PROCESS, name], {
    cwd: import.meta.dirname,
  })
  return stdout.length === 0 ? NaN : Number(stdout)
}

describe('a template that would exhaust time or memory', () => {
  for (const [name, template] of ATTACKS)
    it(`stops in time without a stack overflow: ${name}`, () => {
      assert.ok(template.length <= LONGEST, `${template.length} bytes`)
      const { seconds, said } = rendered(template)
      assert.ok(seconds < SECONDS, `${seconds} s: ${said}`)
      assert.doesNotMatch(said, /call stack/)
    })

  for (const [name] of ATTACKS.filter(([name]) => / kept|long text|characters|much output|title/.test(name)))
    it(`stays below ${MEGABYTES} MB with the limits of the largest conversation: ${name}`, () => {
      const megabytes = megabytesOf(name)
      assert.ok(megabytes < MEGABYTES, `${megabytes} MB`)
    })
})
