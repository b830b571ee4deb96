import { describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Candidate, candidates, loadTfjsNode, restoreFunctions } from './load-tfjs-node.js'

const [GPU, CPU] = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']

const there = (name: string): Candidate => ({ name, load: () => Promise.resolve({}) })

const failing = (name: string, message: string, code?: string): Candidate => ({
  name,
  load: () => Promise.reject(Object.assign(new Error(message), { code })),
})

/** A package that Node cannot find. */
const absent = (name: string): Candidate =>
  failing(name, `Cannot find package '${name}' imported from /a/load-tfjs-node.js`, 'ERR_MODULE_NOT_FOUND')

describe('loadTfjsNode', () => {
  it('tries the GPU package first, then the CPU package', async () => {
    expect(candidates(undefined).map(({ name }) => name)).toEqual([GPU, CPU])
    expect(await loadTfjsNode([there(GPU), there(CPU)])).toBe(GPU)
    expect(await loadTfjsNode([absent(GPU), there(CPU)])).toBe(CPU)
  })

  it('hides the command line during the import, because the addon has its own --directory, and restores it', async () => {
    const before = process.argv
    let seen: readonly string[] | undefined
    await loadTfjsNode([{ name: GPU, load: () => Promise.resolve(void (seen = process.argv)) }])
    expect(seen).toEqual(before.slice(0, 1))
    await loadTfjsNode([failing(GPU, 'broken')]).catch(() => undefined)
    expect(process.argv).toBe(before)
  })

  it('names the packages to install when neither is installed', async () => {
    await expect(loadTfjsNode([absent(GPU), absent(CPU)])).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      problem: 'engine tfjs-node-gpu: cannot find @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node',
      remedy:
        'Run `npm install @tensorflow/tfjs-node-gpu@4.22.0` with an NVIDIA GPU, CUDA 11.2 and cuDNN 8.1, run `npm install @tensorflow/tfjs-node@4.22.0` for the CPU, or use another engine: `npx attune doctor` shows which work here.',
    })
  })

  it('reports a package without its native addon, and does not fall back', async () => {
    // The message of @tensorflow/tfjs-node 4.22.
    const message =
      'The Node.js native addon module (tfjs_binding.node) can not be found at path: /a/lib/napi-v8/tfjs_binding.node. \nPlease run command …'
    await expect(loadTfjsNode([failing(GPU, message), there(CPU)])).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      problem:
        'engine tfjs-node-gpu: @tensorflow/tfjs-node-gpu is installed, but its native addon tfjs_binding.node is not: its install script did not run, or failed',
      remedy:
        'Repeat its install script with `npm rebuild @tensorflow/tfjs-node-gpu --ignore-scripts=false`, or use another engine: `npx attune doctor` shows which work here.',
    })
  })

  it.each([
    ['libtensorflow.so.2: cannot open shared object file', 'ERR_DLOPEN_FAILED'],
    ["Cannot find module 'rimraf'\nRequire stack:\n- /a/index.js", 'MODULE_NOT_FOUND'],
  ])('reports the reason when a package does not load: %s', async (message, code) => {
    await expect(loadTfjsNode([absent(GPU), failing(CPU, message, code)])).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      problem: `engine tfjs-node-gpu: @tensorflow/tfjs-node is installed, but does not load: ${message.split('\n')[0]}`,
    })
  })

  it('loads the package in the given folder, and no other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tfjs-node-'))
    try {
      writeFileSync(join(folder, 'index.js'), '')
      expect(await loadTfjsNode(candidates(folder))).toBe(folder)
      const none = join(folder, 'none')
      await expect(loadTfjsNode(candidates(none))).rejects.toMatchObject({
        problem: `engine tfjs-node-gpu: cannot find ${none}`,
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('restoreFunctions', () => {
  it('restores the functions that newer Node versions lack', () => {
    const given: Partial<Record<string, (value: unknown) => boolean>> = {}
    restoreFunctions(given)
    expect(['isArray', 'isNullOrUndefined'].map((name) => [[], null, undefined, 0].map(given[name]!))).toEqual([
      [true, false, false, false],
      [false, true, true, false],
    ])
  })
})
