import { AttuneError, type Model, type Params, excerpt, nearest, shortened } from '@attune/core'

/** Prefix of the tensor names of peft. */
const PREFIX = 'base_model.model.'

/** Returns the error `BAD_ADAPTER`: a saved adapter cannot be used. */
export const malformedAdapter = (
  problem: string,
  remedy = 'Save the adapter again for the base model of this run.',
): AttuneError => new AttuneError('BAD_ADAPTER', `the saved adapter ${problem}`, remedy)

/** Tensors under their names in peft's `adapter_model.safetensors`. */
export const toPeft = (params: Params): Params =>
  Object.fromEntries(Object.entries(params).map(([name, tensor]) => [PREFIX + name, tensor]))

/**
 * Modules of these parameters, as in peft's `modules_to_save`; modules nested in another listed module are left out.
 */
export function modulesToSave(names: readonly string[]): readonly string[] {
  const modules = [...new Set(names.map((name) => name.split('.').slice(0, -1).join('.')))]
  return modules.filter((name) => !modules.some((other) => name.startsWith(`${other}.`)))
}

/**
 * Tensors of a saved adapter under the model's own names. The names of an adapter of a model without a head lack the
 * model's prefix.
 * @param isKnown true for names that the adapter reads
 * @throws AttuneError `BAD_ADAPTER` for an unknown or a repeated name
 */
export function fromPeft(
  tensors: Params,
  { prefix }: Pick<Model, 'prefix'>,
  isKnown: (name: string) => boolean,
): Params {
  const named = new Map<string, Params[string]>()
  for (const [name, tensor] of Object.entries(tensors)) {
    const plain = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : undefined
    const own = plain === undefined ? undefined : [plain, prefix + plain].find(isKnown)
    if (own === undefined)
      throw malformedAdapter(
        `has a tensor that neither the model nor the adapter reads: ${excerpt(name)}`,
        'Load an adapter of the same method, trained on a model of the same architecture.',
      )
    if (named.has(own)) throw malformedAdapter(`has the tensor ${shortened(own)} twice`)
    named.set(own, tensor)
  }
  return Object.fromEntries(named)
}

/**
 * Requires a float32 tensor of the given shape for every name.
 * @throws AttuneError `BAD_ADAPTER` for a missing tensor or another shape or dtype
 */
export function requireShapes(tensors: Params, shapes: Readonly<Record<string, readonly number[]>>): void {
  for (const [name, shape] of Object.entries(shapes)) {
    const tensor = tensors[name]
    const [expected, wanted] = [`float32 [${shape.join()}]`, shortened(name)]
    if (tensor === undefined) {
      const near = nearest(name, Object.keys(tensors).slice(0, 1000)).map((each) => shortened(each))
      throw malformedAdapter(`lacks the tensor ${wanted}${near.length > 0 ? `; nearest: ${near.join(', ')}` : ''}`)
    }
    const found = `${tensor.dtype} [${tensor.shape.slice(0, 8).join()}]`
    if (found !== expected)
      throw malformedAdapter(`does not fit the model: expected ${wanted} as ${expected}, got ${found}`)
  }
}
