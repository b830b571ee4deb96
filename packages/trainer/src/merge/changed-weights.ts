import type { Adapted, Engine, Params } from '@attune/core'

/** The tensors that differ after the merge, by name: computed ones, and heads that the adapter replaces. */
export function changedWeights(engine: Engine, { merge, trainable, frozen }: Adapted, params: Params): Params {
  const compiled = engine.compile((trained: Params, kept: Params): Params => {
    const all = { ...kept, ...trained }
    return Object.fromEntries(Object.entries(merge(trained, kept)).filter(([name, tensor]) => tensor !== all[name]))
  })
  const computed = compiled(trainable, frozen) as Params
  compiled.dispose()
  const replaced = Object.entries(trainable).filter(([name, tensor]) => name in params && params[name] !== tensor)
  return { ...Object.fromEntries(replaced), ...computed }
}
