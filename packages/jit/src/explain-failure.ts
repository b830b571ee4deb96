import { AttuneError, isAttuneError } from '@attune/core'

/** ONNX Runtime's messages about an index, the first of which states its range. */
const INDEX_IN_RANGE = /idx=(-?\d+) must be within the inclusive range \[-?\d+,(\d+)\]/
const INDEX = /invalid (?:index|indice) found, \w+ = -?\d+/

const badIndex = (problem: string, cause: unknown): AttuneError =>
  new AttuneError('BAD_ARGUMENT', problem, 'Pass indices of entries that exist.', { cause })

/** Location in the source of ONNX Runtime, and the signature of a function there. */
const LOCATION = /\/onnxruntime_src\/\S+ (?:\S+ )?onnxruntime::.*?(?= [\w[(]*[A-Z][^:]*$)/s

/** Explains an error that ONNX Runtime throws while it loads or runs a graph. */
export function explainFailure(error: unknown): unknown {
  const message = (error as { message?: unknown } | undefined)?.message
  if (isAttuneError(error) || typeof message !== 'string') return error
  const [, index, last] = INDEX_IN_RANGE.exec(message) ?? []
  if (index !== undefined && last !== undefined) {
    // Negative indices are moved before the beginning, see `indicesWithin`.
    const given = Number(index) < 0 ? Number(index) + Number(last) + 1 : Number(index)
    return badIndex(`GatherV2: the index value ${given} is not in [0, ${last}]`, error)
  }
  if (INDEX.test(message)) return badIndex('an index of a gather or scatter operation is out of range', error)
  return new AttuneError(
    'ENGINE_FAILED',
    `ONNX Runtime rejected the compiled function: ${message.replace(LOCATION, '').slice(0, 2000)}`,
    'Run the function with another engine, such as tfjs-wasm, or with smaller batches if memory is short, and report the message.',
    { cause: error },
  )
}
