import { AttuneError } from '@attune/core'
import type { WasmBackend } from './wasm-backend.js'

const GUARDED = Symbol.for('attune/guarded-heap')

/**
 * Makes the backend throw when its memory is exhausted. WebAssembly addresses at most 4 GiB; when they are full, its allocator
 * returns the address 0, which the backend would write to.
 */
export function refuseExhaustion(backend: WasmBackend & { [GUARDED]?: true }): void {
  if (backend[GUARDED]) return
  backend[GUARDED] = true
  const { wasm } = backend
  wasm._free(wasm._malloc(1)) // the first call makes Emscripten replace the stub by the allocator
  const allocate = wasm._malloc
  wasm._malloc = (bytes) => {
    const offset = allocate(bytes)
    if (offset !== 0) return offset
    throw new AttuneError(
      'OUT_OF_MEMORY',
      `TF.js WebAssembly: cannot allocate ${(bytes / 2 ** 20).toFixed(1)} MiB within the 4 GiB that WebAssembly can address`,
      'Use a smaller batch or shorter texts, or an engine without this limit.',
    )
  }
}
