import '@tensorflow/tfjs'
import { expect, it } from '@jest/globals'
import { getGradient, getKernelsForBackend, setBackend } from '@tensorflow/tfjs-core'
import { readFileSync } from 'node:fs'
import { kernelNames } from './index.js'

const README = new URL('../README.md', import.meta.url)

it('compiles every kernel with a TF.js gradient, except those documented in the README', async () => {
  await setBackend('cpu')
  const differentiable = getKernelsForBackend('cpu').flatMap(({ kernelName }) =>
    getGradient(kernelName) === undefined ? [] : [kernelName],
  )
  const documented = [...readFileSync(README, 'utf8').matchAll(/^\| `(\w+)` +\| /gm)].map(([, name]) => name!)
  expect(differentiable.length).toBeGreaterThan(80)
  expect(differentiable.filter((name) => !kernelNames.includes(name)).sort()).toEqual(documented)
})
