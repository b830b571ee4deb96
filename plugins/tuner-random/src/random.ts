import { type Choice, type Distribution, TUNER, type Tuner, definePlugin } from '@attune/core'
import { z } from 'zod'

/** Samples from an interval, including both ends: integers with equal probability or, on a log scale, with log-uniform probability. */
function sampleInterval({ from, to, scale, integer = false }: Extract<Distribution, { from: number }>, u: number) {
  const [low, high] = integer ? [from - 0.5, to + 0.5] : [from, to]
  const value = scale === 'log' ? low * (high / low) ** u : low + (high - low) * u
  return Math.min(to, Math.max(from, integer ? Math.round(value) : value))
}

/** True if a hyperparameter exists under the values chosen so far. */
const exists = ({ when = {} }: Distribution, choice: Choice): boolean =>
  Object.entries(when).every(([path, value]) => choice[path] === value)

/**
 * Random search: each choice is sampled independently of all others.
 *
 *     x = from + (to − from) · u        linear
 *     x = from · (to / from)^u          log
 *
 * `u` is uniform in [0, 1). An integer is the rounded value of the interval widened by ½ at both ends, as in Optuna. One number is
 * sampled for every hyperparameter, also for those whose condition does not hold, so that a value does not depend on other values.
 * Grid search covers few values of each hyperparameter; random search tries another value of each in every trial.
 */
export const random = definePlugin({
  kind: TUNER,
  name: 'random',
  summary: 'Random search: every choice is sampled independently from the whole space',
  source: 'Bergstra and Bengio, Random Search for Hyper-Parameter Optimization, JMLR 13, 2012',
  options: z.strictObject({}),
  create: (): Tuner => ({
    suggest(space, _trials, next) {
      const choice: Record<string, Choice[string]> = {}
      for (const [path, distribution] of Object.entries(space)) {
        const u = next()
        if (!exists(distribution, choice)) continue
        choice[path] =
          'choices' in distribution
            ? distribution.choices[Math.floor(u * distribution.choices.length)]!
            : sampleInterval(distribution, u)
      }
      return { choice }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'tuner random': typeof random
  }
}

export default random
