import type { Optimizer, Tree } from '@attune/core'

/**
 * Chains optimizers in order: each transforms the updates of the one before. The state holds theirs under `0`, `1`,
 * ….
 */
export function chain(...links: readonly Optimizer[]): Optimizer<{ readonly [link: string]: Tree }> {
  const evaluating = links.flatMap((link, i) => (link.evaluationParams === undefined ? [] : [[link, i] as const]))
  return {
    init: (params) => Object.fromEntries(links.map((link, i) => [i, link.init(params)])),
    update(grads, state, params, hyper, closure) {
      let updates = grads
      const next: Record<string, Tree> = {}
      for (const [i, link] of links.entries()) {
        const result = link.update(updates, state[i] ?? {}, params, hyper, closure)
        updates = result.updates
        next[i] = result.state
      }
      return { updates, state: next }
    },
    ...(links.some(({ needsClosure }) => needsClosure === true) ? { needsClosure: true as const } : {}),
    ...(evaluating.length === 0
      ? {}
      : {
          evaluationParams: (state, params) =>
            evaluating.reduce((now, [link, i]) => link.evaluationParams!(state[i] ?? {}, now), params),
        }),
  }
}
