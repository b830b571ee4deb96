import { spawnSync } from 'node:child_process'
import { createBudget } from '@attune/core'
import { describe, expect, it } from '@jest/globals'
import { ATTACKS, often } from './bounds.test.fixture.js'
import { compile, readVariables } from './render-template.js'

/** The limits of chat templates. */
const LIMITS = { steps: 10_000_000, stepsPerByte: 200, bytes: 64_000_000, bytesPerByte: 128 }
/** Bytes of the longest template; it is allowed a quarter of what the largest conversation is. */
const LONGEST = 200_000
/** Seconds of processor time: ten times what the slowest were measured to take. */
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

/** Renders a template in a process of its own, and writes the most memory that it took, in MB. */
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

describe('a template that would take long or fill the memory', () => {
  it.each(ATTACKS)('ends in time and leaves the stack alone: %s', (_, template) => {
    expect(template.length).toBeLessThanOrEqual(LONGEST)
    const { seconds, said } = run(template, LONGEST)
    expect({ seconds: Math.min(seconds, SECONDS), said }).toEqual({ seconds, said })
    expect(said).not.toContain('call stack')
  })

  it.each(ATTACKS.filter(([name]) => / kept|long text|characters|much output|title/.test(name)))(
    'stays below 512 MB with the limits of the largest conversation: %s',
    (name) => expect(megabytesOf(name)).toBeLessThan(512),
  )

  it('is refused where it spends too much, and the text says how much that was', () => {
    expect(run(often('x'), 1000).said).toMatch(
      /^it takes more than [\d,]+ (steps of work|bytes of memory) for 1,000 bytes/,
    )
  })
})
