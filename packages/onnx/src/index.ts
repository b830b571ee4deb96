export { type Exported, type ExportOptions, exportOnnx } from './export-onnx.js'
export type { ExportedModel } from './exported-model.js'
export { writeGraphs } from './write-graphs.js'
