import { AttuneError } from '@attune/core'

/** Properties of a GPU; a driver may leave any of them empty. */
export interface Adapter {
  readonly info: { readonly vendor: string; readonly device: string; readonly description: string }
}

/** The part of the WebGPU interface that is used here; TF.js uses the rest. */
export interface Gpu {
  requestAdapter(options: { powerPreference: 'high-performance' }): Promise<Adapter | null>
}

/** The package that provides WebGPU in Node: Dawn, the implementation of Chromium. */
export interface WebgpuPackage {
  create(options: readonly string[]): Gpu
  /** The classes and constants of WebGPU, by name. */
  readonly globals: Readonly<Record<string, unknown>>
}

const unavailable = (problem: string, remedy: string, options?: { readonly cause: unknown }): AttuneError =>
  new AttuneError(
    'ENGINE_UNAVAILABLE',
    `engine tfjs-webgpu: ${problem}`,
    `${remedy}, or use another engine: \`npx attune doctor\` shows which work here.`,
    options,
  )

/** The error for a package that does not load. */
function unloadable(error: Error): AttuneError {
  const absent = /^Cannot find (module|package) 'webgpu'/.test(error.message)
  return absent
    ? unavailable(
        'the package webgpu, which provides WebGPU in Node, is not installed',
        'Run `npm install webgpu@0.6.2`',
        {
          cause: error,
        },
      )
    : unavailable(
        `the package webgpu is installed, but does not load: ${error.message.split('\n')[0]}`,
        'Install it again with `npm install webgpu@0.6.2`',
        { cause: error },
      )
}

/** Sets `navigator.gpu`, as in a browser, where TF.js expects it. */
async function provideGpu(load: () => Promise<WebgpuPackage>): Promise<Gpu> {
  const scope = globalThis as { navigator?: { readonly gpu?: Gpu } }
  if (scope.navigator?.gpu !== undefined) return scope.navigator.gpu
  const { create, globals } = await load().catch((error: Error) => {
    throw unloadable(error)
  })
  Object.assign(globalThis, globals)
  const gpu = create([])
  // Node 20 has no navigator, and newer ones have one without a GPU.
  if (scope.navigator === undefined) Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true })
  Object.defineProperty(scope.navigator, 'gpu', { value: gpu, configurable: true })
  return gpu
}

/** The GPU that TF.js will use, requested first because TF.js does not report why it finds none. */
export async function openAdapter(load: () => Promise<WebgpuPackage>): Promise<Adapter> {
  const gpu = await provideGpu(load)
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter !== null) return adapter
  throw unavailable(
    'this machine has no GPU that WebGPU can use, or its driver (Vulkan, Metal or Direct3D 12) is missing or too old',
    'Install the driver of the GPU',
  )
}
