import { type TensorInfo, getKernel, registerKernel } from '@tensorflow/tfjs-core'
import { BACKEND, graphBackend } from './backend.js'
import { cast } from './lower/lowering.js'
import { notCompiled } from './pass-on.js'
import { backendOf } from './register.js'
import { viewOf } from './view-of.js'

/**
 * Registers a kernel for rows of a table in float16, which the graph keeps packed, as float32 `[n, width]`.
 *
 * `inputs: { codes, ids }`: `codes` are an int32 argument of the compiled function or a constant, `[entries, width / 2]`, with two float16
 * numbers each, the first in the low bits; `ids` are int32 `[n]`.
 */
export function registerHalfRows(kernelName: string): void {
  graphBackend()
  if (getKernel(kernelName, BACKEND) != null) return
  registerKernel({
    kernelName,
    backendName: BACKEND,
    kernelFunc: (call) => {
      const backend = backendOf(call)
      const trace = backend.activeTrace
      if (trace === undefined || trace.isStep) throw notCompiled(kernelName)
      const valueAt = (name: string) => backend.valueOf(call.inputs[name] as TensorInfo, trace)
      const [codes, ids] = [valueAt('codes'), valueAt('ids')]
      const [entries, words] = codes.shape as readonly [number, number]
      const table = viewOf(trace, codes, { dtype: 'float16', shape: [entries, 2 * words] })
      const rows = trace.builder.node('Gather', [table, ids], {
        dtype: 'float16',
        shape: [...ids.shape, 2 * words],
      })
      return backend.symbol(cast(trace.builder, rows, 'float32'), trace)
    },
  })
}
