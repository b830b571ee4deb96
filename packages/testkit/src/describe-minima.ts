import { itPromises } from './exceptions.js'
import type { OptimizerSubject } from './optimizer-subject.js'
import { type OptimizerTask, optimizerTasks, traceOptimizer } from './optimizer-tasks.js'
import { expect } from './runner.js'

/** Minimization of a function by an optimizer. */
export interface Minimization {
  /** The first learning rate; it decays linearly to 0. */
  readonly learningRate: number
  readonly steps: number
  /** Loss above the minimum that a technique with an exception reaches. It must not be lower than the tolerance of the function. */
  readonly reaches?: number
}

/** Minimization of each function, and options of the plugin for all of them. */
export interface Minimizing extends Partial<Readonly<Record<OptimizerTask, Minimization>>> {
  readonly options?: Readonly<Record<string, unknown>>
}

const SHORT: Minimization = { learningRate: 0.3, steps: 150 }

/** With these, Adam and most of its relatives reach the minima. */
const DEFAULTS: Readonly<Record<OptimizerTask, Minimization>> = {
  parabola: SHORT,
  rosenbrock: { learningRate: 0.1, steps: 400 },
  logistic: SHORT,
  leastSquares: SHORT,
}

/** Links are tested on quadratic functions, which plain SGD minimizes in few steps. */
const LINK_DEFAULTS: Partial<Readonly<Record<OptimizerTask, Minimization>>> = {
  parabola: { learningRate: 0.3, steps: 100 },
  leastSquares: { learningRate: 1, steps: 100 },
}

/**
 * Tests that an optimizer, or a link with plain SGD, reaches the minimum of each function within its tolerance. A technique with an exception
 * for a function must miss the tolerance, and reach the loss that its suite states.
 */
export function describeMinima(
  { plugin, engine, make }: OptimizerSubject,
  { options, ...given }: Minimizing,
  link: 'before' | 'after' | undefined,
): void {
  const all = { ...(link === undefined ? DEFAULTS : LINK_DEFAULTS), ...given }
  for (const [name, { learningRate, steps, reaches }] of Object.entries(all)) {
    const task = name as OptimizerTask
    const { title, minimum, tolerance } = optimizerTasks[task]
    const chained = link === undefined ? '' : ' with SGD'
    const titles = {
      kept: `minimizes ${title}${chained} within ${tolerance}`,
      excused: `does not minimize ${title}${chained} within ${tolerance}, but within ${reaches}`,
    }
    itPromises(plugin, task, titles, async (reason) => {
      const losses = await traceOptimizer(engine, make(options), { task, learningRate, steps, decay: true })
      const excess = losses.at(-1)! - minimum
      expect(excess).toBeLessThanOrEqual(reason === undefined ? tolerance : reaches!)
      if (reason !== undefined) expect(excess).toBeGreaterThan(tolerance)
    })
  }
}
