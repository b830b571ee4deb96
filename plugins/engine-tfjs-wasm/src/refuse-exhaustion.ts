import { AttuneError } from '@attune/core'
import type { WasmBackend } from './wasm-backend.js'

const GUARDED = Symbol.for('attune/guarded-heap')

/**
 * Makes the backend say so when its memory is used up. WebAssembly addresses at most 4 GiB; when they are full, its
 * allocator answers with the address 0, which the backend would take for a place to write to.
 */
export function refuseExhaustion(backend: WasmBackend & { [GUARDED]?: true }): void {
  if (backend[GUARDED]) return
  backend[GUARDED] = true
  const { wasm } = backend
  wasm._free(wasm._malloc(1)) // Emscripten puts the allocator itself in this place when it is first called
  const allocate = wasm._malloc
  wasm._malloc = (bytes) => {
    const offset = allocate(bytes)
    if (offset !== 0) return offset
    throw new AttuneError(
      'OUT_OF_MEMORY',
      `TF.js WebAssembly: ${(bytes / 2 ** 20).toFixed(1)} MiB more do not fit into the 4 GiB that WebAssembly can address`,
      'Make the batch smaller or its texts shorter, or use an engine without this bound.',
    )
  }
}
