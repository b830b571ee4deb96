import '@tensorflow/tfjs'
import { expect, it } from '@jest/globals'
import { getGradient, getKernelsForBackend, setBackend } from '@tensorflow/tfjs-core'
import { readFileSync } from 'node:fs'
import { kernelNames } from './index.js'

const README = new URL('../README.md', import.meta.url)

it('every kernel that TF.js has a gradient for can be compiled, or the README says why not', async () => {
  await setBackend('cpu')
  const differentiable = getKernelsForBackend('cpu').flatMap(({ kernelName }) =>
    getGradient(kernelName) === undefined ? [] : [kernelName],
  )
  const documented = [...readFileSync(README, 'utf8').matchAll(/^\| `(\w+)` +\| /gm)].map(([, name]) => name!)
  expect(differentiable.length).toBeGreaterThan(80)
  expect(differentiable.filter((name) => !kernelNames.includes(name)).sort()).toEqual(documented)
})
