import { AttuneError, isAttuneError } from '@attune/core'

/** ONNX Runtime's message about an index, from which {@link explainFailure} takes the index and the size. */
const INDEX = /idx=(-?\d+) must be within the inclusive range \[-?\d+,(\d+)\]/

/** Location in the source of ONNX Runtime, and the signature of a function there. */
const LOCATION = /\/onnxruntime_src\/\S+ (?:\S+ )?onnxruntime::.*?(?= [\w[(]*[A-Z][^:]*$)/s

/** Explains an error that ONNX Runtime throws while it loads or runs a graph. */
export function explainFailure(error: unknown): unknown {
  if (isAttuneError(error) || !(error instanceof Error)) return error
  const [, index, last] = INDEX.exec(error.message) ?? []
  if (index !== undefined && last !== undefined) {
    // Negative indices are moved before the beginning, see `gather`.
    const given = Number(index) < 0 ? Number(index) + Number(last) + 1 : Number(index)
    return new AttuneError(
      'BAD_ARGUMENT',
      `GatherV2: the index value ${given} is not in [0, ${last}]`,
      'Pass indices of entries that exist.',
      { cause: error },
    )
  }
  return new AttuneError(
    'ENGINE_FAILED',
    `ONNX Runtime rejected the compiled function: ${error.message.replace(LOCATION, '').slice(0, 2000)}`,
    'Run the function with another engine, such as tfjs-wasm, or with smaller batches if memory is short, and report the message.',
    { cause: error },
  )
}
