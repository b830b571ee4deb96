import { beforeEach, describe, expect, it } from '@jest/globals'
import { type Adapter, type Gpu, type WebgpuPackage, openAdapter } from './open-adapter.js'

const adapter: Adapter = { info: { vendor: 'vendor', device: 'gpu', description: 'driver 1' } }

/** A package that finds the adapter, or null. */
const found = (result: Adapter | null): WebgpuPackage => ({
  create: () => ({ requestAdapter: () => Promise.resolve(result) }),
  globals: { GPUBufferUsage: { STORAGE: 128 } },
})

const navigator = (): { gpu?: Gpu } | undefined => (globalThis as { navigator?: { gpu?: Gpu } }).navigator

describe('openAdapter', () => {
  beforeEach(() => void Object.defineProperty(globalThis, 'navigator', { value: undefined, configurable: true }))

  it('sets navigator.gpu, where TF.js expects it, and the constants of WebGPU', async () => {
    expect(await openAdapter(() => Promise.resolve(found(adapter)))).toBe(adapter)
    expect(await navigator()?.gpu?.requestAdapter({ powerPreference: 'high-performance' })).toBe(adapter)
    expect(globalThis).toMatchObject({ GPUBufferUsage: { STORAGE: 128 } })
  })

  it('keeps the other properties of navigator', async () => {
    Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'Node' }, configurable: true })
    await openAdapter(() => Promise.resolve(found(adapter)))
    expect(navigator()).toMatchObject({ userAgent: 'Node' })
  })

  it('loads nothing if there is a GPU already', async () => {
    Object.defineProperty(globalThis, 'navigator', { value: { gpu: found(adapter).create([]) }, configurable: true })
    expect(await openAdapter(() => Promise.reject(new Error('loaded')))).toBe(adapter)
  })

  it.each(["Cannot find package 'webgpu' imported from /a.js", "Cannot find module 'webgpu' from 'a.js'"])(
    'names the package to install: %s',
    async (message) => {
      await expect(openAdapter(() => Promise.reject(new Error(message)))).rejects.toMatchObject({
        code: 'ENGINE_UNAVAILABLE',
        problem: 'engine tfjs-webgpu: the package webgpu, which provides WebGPU in Node, is not installed',
        remedy: 'Run `npm install webgpu@0.6.2`, or use another engine: `npx attune doctor` shows which work here.',
      })
    },
  )

  it('reports the reason when the package does not load', async () => {
    const reason = "Cannot find module '/a/dist/linux-ppc64/dawn.node'\nRequire stack:\n- /a/index.js"
    await expect(openAdapter(() => Promise.reject(new Error(reason)))).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      problem:
        "engine tfjs-webgpu: the package webgpu is installed, but does not load: Cannot find module '/a/dist/linux-ppc64/dawn.node'",
    })
  })

  it('reports that there is no GPU', async () => {
    await expect(openAdapter(() => Promise.resolve(found(null)))).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      problem:
        'engine tfjs-webgpu: this machine has no GPU that WebGPU can use, or its driver (Vulkan, Metal or Direct3D 12) is missing or too old',
      remedy: 'Install the driver of the GPU, or use another engine: `npx attune doctor` shows which work here.',
    })
  })
})
