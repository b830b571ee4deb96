import type { Adapted, Engine, Params } from '@attune/core'
import { malformedAdapter } from '@attune/nn'

/**
 * The tensors that differ after the merge, by name: computed ones, and heads that the adapter replaces.
 * @throws AttuneError `BAD_ADAPTER` for an adapter that cannot be merged
 */
export function changedWeights(engine: Engine, { merge, trainable, frozen }: Adapted, params: Params): Params {
  if (merge === undefined)
    throw malformedAdapter(
      'adds modules or inputs to its model, so that no merged weights compute the same',
      'Keep it beside the model: a run with this adapter saves both, and predict and generate apply it.',
    )
  const compiled = engine.compile((trained: Params, kept: Params): Params => {
    const all = { ...kept, ...trained }
    return Object.fromEntries(Object.entries(merge(trained, kept)).filter(([name, tensor]) => tensor !== all[name]))
  })
  const computed = compiled(trainable, frozen) as Params
  compiled.dispose()
  const replaced = Object.entries(trainable).filter(([name, tensor]) => name in params && params[name] !== tensor)
  return { ...Object.fromEntries(replaced), ...computed }
}
