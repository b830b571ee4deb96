import { execFileSync } from 'node:child_process'
import { expect, it } from '@jest/globals'
import { describeEngine } from '@attune/testkit'
import { tfjsWasm } from './tfjs-wasm.js'

describeEngine(tfjsWasm)

it('starts several engines at once, in a process that has started none', () => {
  const program = `
    import { tfjsWasm } from ${JSON.stringify(new URL('tfjs-wasm.js', import.meta.url).href)}
    await Promise.all([1, 2, 3].map(() => tfjsWasm({}).start()))
    console.log('started')`
  const out = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' })
  expect(out).toBe('started\n')
})
