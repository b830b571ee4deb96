import { spawnSync } from 'node:child_process'
import { createBudget } from '@attune/core'
import { describe, expect, it } from '@jest/globals'
import { ATTACKS, often } from './bounds.test.fixture.js'
import { compile, readVariables } from './render-template.js'

/** Limits of chat templates. */
const LIMITS = { steps: 10_000_000, stepsPerByte: 200, bytes: 64_000_000, bytesPerByte: 128 }
/** Maximum template length in bytes; its allowance is a quarter of that of the largest conversation. */
const LONGEST = 200_000
/** Maximum CPU time in seconds: ten times that of the slowest template. */
const SECONDS = 8

interface Outcome {
  readonly seconds: number
  readonly said: string
}

function run(template: string, inputBytes: number): Outcome {
  const begun = process.cpuUsage()
  let said = 'rendered'
  const budget = createBudget(inputBytes, (why) => Object.assign(new Error(why), { code: 'REFUSED' }), LIMITS)
  try {
    compile(template, budget)(readVariables({}, budget), budget)
  } catch (error) {
    said = (error as Error).message
  }
  const { user, system } = process.cpuUsage(begun)
  return { seconds: (user + system) / 1e6, said }
}

/** Program that renders a template in its own process and prints the peak memory in MB. */
const IN_PROCESS = `
import { createBudget } from '@attune/core'
import { ATTACKS } from './dist/jinja/bounds.test.fixture.js'
import { compile, readVariables } from './dist/jinja/render-template.js'
const [, template] = ATTACKS.find(([name]) => name === process.argv[1])
const budget = createBudget(1_000_000, (why) => new Error(why), ${JSON.stringify(LIMITS)})
try { compile(template, budget)(readVariables({}, budget), budget) } catch {}
process.stdout.write(String(process.resourceUsage().maxRSS / 1024))`

function megabytesOf(name: string): number {
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', IN_PROCESS, name])
  return stdout.length === 0 ? NaN : Number(stdout)
}

describe('a template that would exhaust time or memory', () => {
  it.each(ATTACKS)('stops in time without a stack overflow: %s', (_, template) => {
    expect(template.length).toBeLessThanOrEqual(LONGEST)
    const { seconds, said } = run(template, LONGEST)
    expect({ seconds: Math.min(seconds, SECONDS), said }).toEqual({ seconds, said })
    expect(said).not.toContain('call stack')
  })

  it.each(ATTACKS.filter(([name]) => / kept|long text|characters|much output|title/.test(name)))(
    'stays below 512 MB with the limits of the largest conversation: %s',
    (name) => expect(megabytesOf(name)).toBeLessThan(512),
  )

  it('is rejected with the limit that it exceeds', () => {
    expect(run(often('x'), 1000).said).toMatch(
      /^it takes more than [\d,]+ (steps of work|bytes of memory) for 1,000 bytes/,
    )
  })
})
