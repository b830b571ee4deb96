import { describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Candidate, candidates, loadTfjsNode, restoreFunctions } from './load-tfjs-node.js'

const [GPU, PROCESSOR] = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']

const there = (name: string): Candidate => ({ name, load: () => Promise.resolve({}) })

const failing = (name: string, message: string, code?: string): Candidate => ({
  name,
  load: () => Promise.reject(Object.assign(new Error(message), { code })),
})

/** As Node says it. */
const absent = (name: string): Candidate =>
  failing(name, `Cannot find package '${name}' imported from /a/load-tfjs-node.js`, 'ERR_MODULE_NOT_FOUND')

describe('loadTfjsNode', () => {
  it('tries the package for the GPU first, then the one for the processor', async () => {
    expect(candidates(undefined).map(({ name }) => name)).toEqual([GPU, PROCESSOR])
    expect(await loadTfjsNode([there(GPU), there(PROCESSOR)])).toBe(GPU)
    expect(await loadTfjsNode([absent(GPU), there(PROCESSOR)])).toBe(PROCESSOR)
  })

  it('hides the command line from what is loaded, which has a --directory of its own, and brings it back', async () => {
    const before = process.argv
    let seen: readonly string[] | undefined
    await loadTfjsNode([{ name: GPU, load: () => Promise.resolve(void (seen = process.argv)) }])
    expect(seen).toEqual(before.slice(0, 1))
    await loadTfjsNode([failing(GPU, 'broken')]).catch(() => undefined)
    expect(process.argv).toBe(before)
  })

  it('says what to install when neither is there', async () => {
    await expect(loadTfjsNode([absent(GPU), absent(PROCESSOR)])).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      problem: 'engine tfjs-node-gpu: @tensorflow/tfjs-node-gpu and @tensorflow/tfjs-node cannot be found',
      remedy:
        '`npm install @tensorflow/tfjs-node-gpu@4.22.0` with an NVIDIA GPU, CUDA 11.2 and cuDNN 8.1, `npm install @tensorflow/tfjs-node@4.22.0` for the processor, or run on another engine: `attune doctor` shows which work here.',
    })
  })

  it('says so when the package is there without its addon, and does not fall back', async () => {
    // As @tensorflow/tfjs-node 4.22 says it.
    const said =
      'The Node.js native addon module (tfjs_binding.node) can not be found at path: /a/lib/napi-v8/tfjs_binding.node. \nPlease run command …'
    await expect(loadTfjsNode([failing(GPU, said), there(PROCESSOR)])).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      problem:
        'engine tfjs-node-gpu: @tensorflow/tfjs-node-gpu is installed, but its native addon tfjs_binding.node is not: its install script did not run, or failed',
      remedy:
        'Let its install script run again with `npm rebuild @tensorflow/tfjs-node-gpu --ignore-scripts=false`, or run on another engine: `attune doctor` shows which work here.',
    })
  })

  it.each([
    ['libtensorflow.so.2: cannot open shared object file', 'ERR_DLOPEN_FAILED'],
    ["Cannot find module 'rimraf'\nRequire stack:\n- /a/index.js", 'MODULE_NOT_FOUND'],
  ])('gives the reason when it does not load: %s', async (message, code) => {
    await expect(loadTfjsNode([absent(GPU), failing(PROCESSOR, message, code)])).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      problem: `engine tfjs-node-gpu: @tensorflow/tfjs-node is installed, but does not load: ${message.split('\n')[0]}`,
    })
  })

  it('takes the folder that is named, and no other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tfjs-node-'))
    try {
      writeFileSync(join(folder, 'index.js'), '')
      expect(await loadTfjsNode(candidates(folder))).toBe(folder)
      const none = join(folder, 'none')
      await expect(loadTfjsNode(candidates(none))).rejects.toMatchObject({
        problem: `engine tfjs-node-gpu: ${none} cannot be found`,
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('restoreFunctions', () => {
  it('gives back what newer Nodes lack', () => {
    const given: Partial<Record<string, (value: unknown) => boolean>> = {}
    restoreFunctions(given)
    expect(['isArray', 'isNullOrUndefined'].map((name) => [[], null, undefined, 0].map(given[name]!))).toEqual([
      [true, false, false, false],
      [false, true, true, false],
    ])
  })
})
