export { BACKEND, graphBackend } from './backend.js'
export {
  type Dimension,
  type DynamicGraph,
  type DynamicValue,
  type NamedFunction,
  dynamicGraph,
} from './dynamic/dynamic-graph.js'
export { type JitOptions, type CompiledFunction, jit } from './jit.js'
export { type HostKernel, kernelNames, registerHostKernel } from './register.js'
export { type ScanAttributes, registerScanKernel } from './scan.js'
export { registerHalfRows } from './half-rows.js'
export { registerNf4Product } from './nf4-product.js'
export type { Program } from './program.js'
export type { PureFunction } from './trace.js'
export { saveGraph } from './save-graph.js'
export type { SessionOptions } from './session.js'
