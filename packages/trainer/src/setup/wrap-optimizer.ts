import type { Adapted, Optimizer } from '@attune/core'
import type { Rebuilt, LossComponents } from '../step/loss-function.js'

/** An optimizer chain, and its rebuilds with scheduled options. */
interface Chain {
  readonly optimizer: Optimizer
  readonly rebuild: LossComponents['rebuild'] | undefined
}

/** The optimizer chain wrapped by the adapter; the chain itself if the adapter does not wrap it. */
export function wrapOptimizer({ wrapOptimizer: wrap }: Pick<Adapted, 'wrapOptimizer'>, chain: Chain): Chain {
  if (wrap === undefined) return chain
  const { optimizer, rebuild } = chain
  const rebuilt = ({ optimizer: own, ...rest }: Rebuilt): Rebuilt =>
    own === undefined ? rest : { ...rest, optimizer: wrap(own) }
  return {
    optimizer: wrap(optimizer),
    rebuild: rebuild === undefined ? undefined : (scheduled) => rebuilt(rebuild(scheduled)),
  }
}
