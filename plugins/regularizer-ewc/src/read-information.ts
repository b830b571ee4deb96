import { AttuneError, type HostArray, type Params } from '@attune/core'
import { toDevice } from '@attune/nn'
import type { WeightsReader } from '@attune/weights'
import { openWeights } from '@attune/weights/node'

/** Names of tensors in a checkpoint: those that a regularizer prepared are at `prepared/<index>/<part>/<parameter>`. */
const NAME = /^prepared\/\d+\/(start|fisher)\/(.+)$/

const refuse = (file: string, why: string): AttuneError =>
  new AttuneError(
    'BAD_CHECKPOINT',
    `regularizer ewc: ${file} ${why}`,
    'Use checkpoints/<step>/state.safetensors of a run of the same model with one regularizer ewc.',
  )

/** Names of the stored tensors of each parameter, by part. @throws AttuneError `BAD_CHECKPOINT` if there are two regularizers */
function namesIn({ tensors, where }: WeightsReader) {
  const names = { start: new Map<string, string>(), fisher: new Map<string, string>() }
  for (const name of tensors.keys()) {
    const [, part, parameter] = NAME.exec(name) ?? []
    if (part === undefined || parameter === undefined) continue
    const own = names[part as keyof typeof names]
    if (own.has(parameter)) throw refuse(where, `has the ${part} of ${parameter} of several regularizers`)
    own.set(parameter, name)
  }
  return names
}

/** Reads a tensor, whose size is bounded by that of its parameter. */
function readAs(reader: WeightsReader, name: string, shape: readonly number[]): HostArray {
  const found = reader.tensors.get(name)!.shape
  if (found.join() === shape.join()) return reader.read(name)
  throw refuse(
    reader.where,
    `does not fit the model: expected ${name} of shape [${shape.join()}], got [${found.join()}]`,
  )
}

/**
 * Reads Fisher information and anchor weights from a checkpoint. Parameters that it does not hold get the Fisher information 0.
 * @throws AttuneError `BAD_CHECKPOINT` if it holds none, or those of another model; `FILE_NOT_FOUND`, `BAD_SAFETENSORS`
 */
export function readInformation(file: string, trainable: Params): { readonly start: Params; readonly fisher: Params } {
  const reader = openWeights(file)
  try {
    const names = namesIn(reader)
    if (!Object.keys(trainable).some((name) => names.fisher.has(name) && names.start.has(name)))
      throw refuse(file, 'has no Fisher information of a parameter that trains')
    const part = (of: ReadonlyMap<string, string>): Params =>
      Object.fromEntries(
        Object.entries(trainable).map(([name, { shape, size }]) => {
          const stored = of.get(name)
          const zeros = (): HostArray => ({ shape, dtype: 'float32', values: new Float32Array(size) })
          return [name, toDevice(stored === undefined ? zeros() : readAs(reader, stored, shape))]
        }),
      )
    return { start: part(names.start), fisher: part(names.fisher) }
  } finally {
    reader.close()
  }
}
