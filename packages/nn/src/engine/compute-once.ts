import type { Engine, PureFunction, Tree } from '@attune/core'

/** Compiles a pure function, runs it once, and frees its compiled graphs. The caller owns the result. */
export function computeOnce<A extends Tree, R extends Tree>(engine: Engine, compute: (tree: A) => R, tree: A): R {
  const compiled = engine.compile(compute as PureFunction)
  const result = compiled(tree) as R
  compiled.dispose()
  return result
}
