import { createBudget } from '@attune/core'
import { expect, it } from '@jest/globals'
import { compile, readVariables } from './render-template.js'

const LIMITS = { steps: 100_000, stepsPerByte: 200, bytes: 1_000_000, bytesPerByte: 128 }

// tools/fuzz/template-bounds.test.mjs has some two hundred templates, at the limits of chat templates.
it.each([
  ['steps', '{% for i in range(100000) %}{% for j in range(1000) %}x{% endfor %}{% endfor %}'],
  [
    'bytes',
    '{% set ns = namespace(v=[1]) %}{% for i in range(60) %}{% set ns.v = ns.v + ns.v %}{% endfor %}{{ ns.v }}',
  ],
])('rejects a template with the limit that it exceeds: %s', (_, template) => {
  const budget = createBudget(1000, (why) => Object.assign(new Error(why), { code: 'REFUSED' }), LIMITS)
  expect(() => compile(template, budget)(readVariables({}, budget), budget)).toThrow(
    /^it takes more than [\d,]+ (steps of work|bytes of memory) for 1,000 bytes/,
  )
})
