import type { Optimizer, Tree } from '@attune/core'

/**
 * One optimizer out of several, applied in order: each transforms the updates of the one before. The state holds theirs
 * under `0`, `1`, ….
 */
export const chain = (...links: readonly Optimizer[]): Optimizer<{ readonly [link: string]: Tree }> => ({
  init: (params) => Object.fromEntries(links.map((link, i) => [i, link.init(params)])),
  update(grads, state, params, hyper) {
    let updates = grads
    const next: Record<string, Tree> = {}
    for (const [i, link] of links.entries()) {
      const result = link.update(updates, state[i] ?? {}, params, hyper)
      updates = result.updates
      next[i] = result.state
    }
    return { updates, state: next }
  },
})
