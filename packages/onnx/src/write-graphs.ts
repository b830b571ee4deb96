import { join } from 'node:path'
import { makeFolder } from '@attune/files'
import { cannotExport } from './cannot-export.js'
import { decoderGraph } from './decoder-graph.js'
import { encoderStatesGraph, mergedDecoderGraph } from './encoder-decoder-graphs.js'
import { type ExportedGraph, encoderGraph } from './encoder-graph.js'
import type { ExportedModel } from './exported-model.js'
import { exportedTasks } from './task-of.js'

/** Graphs of a model by the name of their file in the layout of transformers.js. */
function graphsOf(exported: ExportedModel): Readonly<Record<string, ExportedGraph>> {
  if (!exportedTasks.includes(exported.task))
    throw cannotExport(
      `expected a model of one of the objectives ${exportedTasks.join(', ')}, got ${exported.task}`,
      'Export a model that was trained with one of them.',
    )
  if (exported.task === 'causal-language-modeling') return { model: decoderGraph(exported) }
  if (exported.task !== 'sequence-to-sequence') return { model: encoderGraph(exported) }
  const encoder = encoderStatesGraph(exported)
  const width = encoder.outputs['last_hidden_state']!.dimensions[2] as number
  return { encoder_model: encoder, decoder_model_merged: mergedDecoderGraph(exported, width) }
}

/**
 * Writes the ONNX graphs of a model to `folder/onnx`. All graphs are traced before the first is written.
 * @returns paths of the written files, relative to `folder`
 * @throws AttuneError `CANNOT_EXPORT` if the operations of the model depend on the length of the text
 */
export function writeGraphs(exported: ExportedModel, folder: string): readonly string[] {
  const graphs = Object.entries(graphsOf(exported))
  makeFolder(join(folder, 'onnx'))
  return graphs.flatMap(([name, { graph, outputs }]) =>
    graph.save(join(folder, 'onnx', `${name}.onnx`), outputs).map((file) => file.slice(folder.length + 1)),
  )
}
