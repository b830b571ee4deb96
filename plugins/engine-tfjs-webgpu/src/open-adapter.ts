import { AttuneError } from '@attune/core'

/** What a GPU says of itself; a driver may leave any of it empty. */
export interface Adapter {
  readonly info: { readonly vendor: string; readonly device: string; readonly description: string }
}

/** The part of the WebGPU interface that is used here; TF.js uses the rest. */
export interface Gpu {
  requestAdapter(options: { powerPreference: 'high-performance' }): Promise<Adapter | null>
}

/** The package that gives Node what browsers have: Dawn, the WebGPU of Chromium. */
export interface WebgpuPackage {
  create(options: readonly string[]): Gpu
  /** The classes and constants of WebGPU, by name. */
  readonly globals: Readonly<Record<string, unknown>>
}

const unavailable = (problem: string, remedy: string, options?: { readonly cause: unknown }): AttuneError =>
  new AttuneError(
    'ENGINE_UNAVAILABLE',
    `engine tfjs-webgpu: ${problem}`,
    `${remedy}, or run on another engine: \`attune doctor\` shows which work here.`,
    options,
  )

/** Why the package does not load. */
function unloadable(error: Error): AttuneError {
  const absent = /^Cannot find (module|package) 'webgpu'/.test(error.message)
  return absent
    ? unavailable('the package webgpu, which gives Node a GPU, is not installed', '`npm install webgpu@0.6.2`', {
        cause: error,
      })
    : unavailable(
        `the package webgpu is installed, but does not load: ${error.message.split('\n')[0]}`,
        'Install it again with `npm install webgpu@0.6.2`',
        { cause: error },
      )
}

/** Puts Node's WebGPU where a browser has its own, and TF.js looks for it. */
async function provideGpu(load: () => Promise<WebgpuPackage>): Promise<Gpu> {
  const place = globalThis as { navigator?: { readonly gpu?: Gpu } }
  if (place.navigator?.gpu !== undefined) return place.navigator.gpu
  const { create, globals } = await load().catch((error: Error) => {
    throw unloadable(error)
  })
  Object.assign(globalThis, globals)
  const gpu = create([])
  // Node 20 has no navigator, and newer ones have one without a GPU.
  if (place.navigator === undefined) Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true })
  Object.defineProperty(place.navigator, 'gpu', { value: gpu, configurable: true })
  return gpu
}

/** The GPU that TF.js will use, found in advance, for TF.js does not say why it finds none. */
export async function openAdapter(load: () => Promise<WebgpuPackage>): Promise<Adapter> {
  const gpu = await provideGpu(load)
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter !== null) return adapter
  throw unavailable(
    'this machine has no GPU that WebGPU can use, or its driver (Vulkan, Metal or Direct3D 12) is missing or too old',
    'Install the driver of the GPU',
  )
}
