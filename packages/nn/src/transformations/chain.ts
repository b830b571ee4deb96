import type { Optimizer, Tree } from '@attune/core'

/**
 * Chains optimizers in order: each transforms the updates of the one before. The state holds theirs under `0`, `1`,
 * ….
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { chain, clipByGlobalNorm, scaleByLearningRate } from '@attune/nn'
 * import { scalar, tensor1d } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const params = { w: tensor1d([1, 1]) }
 * const hyper = { learningRate: scalar(0.1), step: scalar(1), steps: scalar(1), seed: tensor1d([1, 0], 'int32'), scheduled: {} }
 * const optimizer = chain(clipByGlobalNorm(1), scaleByLearningRate())
 * const { updates } = optimizer.update({ w: tensor1d([3, 4]) }, optimizer.init(params), params, hyper)
 * console.log(Array.from(updates['w']!.dataSync(), (value) => value.toFixed(2))) // [ '-0.06', '-0.08' ]
 * ```
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
