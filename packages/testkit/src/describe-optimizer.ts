import {
  type AnyPlugin,
  type HostArray,
  type Hyper,
  type Optimizer,
  type Params,
  type Tree,
  isHostArray,
  isTensor,
  leaves,
} from '@attune/core'
import { decodeSafetensors, encodeSafetensors } from '@attune/weights'
import { describeEvaluationParams, describeLink } from './describe-optimizer-link.js'
import { type Minimizing, describeMinima } from './describe-minima.js'
import { describeOptions } from './describe-options.js'
import { expectClose } from './expect-close.js'
import { onlyTensors } from './only-tensors.js'
import { type OptimizerGolden, chained, goldenSteps, instanceOf } from './optimizer-golden.js'
import * as steps from './optimizer-steps.js'
import type { OptimizerSubject } from './optimizer-subject.js'
import { referenceEngine } from './reference-engine.js'
import { afterAll, beforeAll, describe, expect, it } from './runner.js'

const { gradients, hyperArrays, start, stepOf, train } = steps

/** Inputs of an optimizer's suite. */
export interface OptimizerFixture {
  readonly options?: Readonly<Record<string, unknown>>
  /** Parameters after each step, computed by another library; those of a link, in its chain with SGD. */
  readonly golden?: OptimizerGolden
  /** Learning rates, which decay linearly to 0, and steps with which the plugin minimizes the functions of {@link optimizerTasks}. */
  readonly minimizes?: Minimizing
  /**
   * The plugin is one link of a chain, tested `before` SGD (it transforms gradients: clipping, a penalty) or `after` SGD (it
   * transforms or follows updates: an average of the parameters). Default: an optimizer that is complete by itself.
   */
  readonly link?: 'before' | 'after'
}

function describeState({ engine, make, begin }: OptimizerSubject): void {
  it('keeps the keys, shapes and dtypes of its state', () => {
    const begun = begin(make())
    const before = steps.signature(begun.state)
    const after = train(engine, make(), begun, gradients(3))
    expect(steps.signature(after.state)).toEqual(before)
    engine.release(after.params)
    engine.release(after.state)
  })

  it('keys its state by parameter name', () => {
    const { params, state } = begin(make())
    const outside = leaves(state, isTensor).filter(
      ([path]) => !Object.keys(start).some((name) => path.split('/').includes(name)),
    )
    expect(outside.map(([path]) => path)).toEqual([])
    engine.release(params)
    engine.release(state)
  })

  it('resumes from a saved state with the same bits', async () => {
    const all = gradients(6)
    const through = train(engine, make(), begin(make()), all)
    const half = train(engine, make(), begin(make()), all.slice(0, 3))
    const saved = encodeSafetensors(
      Object.fromEntries(leaves(await engine.read({ p: half.params, s: half.state } as Tree), isHostArray)),
    )
    const names = Object.entries(decodeSafetensors(saved, 'memory').tensors)
    const part = (prefix: string): Params =>
      engine.put(
        Object.fromEntries(names.filter(([n]) => n.startsWith(prefix)).map(([n, v]) => [n.slice(2), v])),
      ) as Params
    const resumed = train(engine, make(), { params: part('p/'), state: steps.nest(part('s/')) }, all.slice(3), 4)
    expect(await engine.read(resumed.params)).toEqual(await engine.read(through.params))
    expect(await engine.read(resumed.state)).toEqual(await engine.read(through.state))
  })
}

function describeUpdate({ engine, make, begin }: OptimizerSubject): void {
  it('is pure: returns the same bits for the same input and does not modify it', async () => {
    const begun = begin(make())
    const [gradient] = gradients(1)
    const grads = engine.put(gradient!) as unknown as Params
    const hyper: Hyper = engine.put(hyperArrays(0.1, 1))
    const step = engine.compile(stepOf(make()))
    const once = await engine.read(step(begun.params, begun.state, grads, hyper))
    const twice = await engine.read(step(begun.params, begun.state, grads, hyper))
    expect(twice).toEqual(once)
    expectClose(await engine.read(begun.params), start, 0)
    expectClose(await engine.read(grads), gradient, 0)
  })

  it('frees all intermediate tensors', () => {
    let now = train(engine, make(), begin(make()), gradients(2))
    const before = engine.live()
    now = train(engine, make(), now, gradients(20), 3)
    expect(engine.live()).toBe(before)
    engine.release(now.params)
    engine.release(now.state)
  })
}

function describeLearningRate({ engine, make, begin }: OptimizerSubject): void {
  it('reads the learning rate as an input, not as a compiled-in constant', async () => {
    const optimizer = make()
    const step = engine.compile(stepOf(optimizer))
    const begun = begin(optimizer)
    const grads = engine.put(gradients(1)[0]!) as unknown as Params
    const after = async (learningRate: number) => {
      const hyper = engine.put(hyperArrays(learningRate, 1))
      const result = onlyTensors(() => step(begun.params, begun.state, grads, hyper))
      return ((await engine.read(result)) as { params: Record<string, HostArray> }).params
    }
    expectClose(await after(0), start, 0)
    expect(await after(0.1)).not.toEqual(await after(0.2))
  })
}

function describeGolden({ engine, make }: OptimizerSubject, { source, cases }: OptimizerGolden): void {
  for (const [i, example] of cases.entries())
    it(`agrees with ${source}, case ${i + 1}: ${JSON.stringify(example.options)}`, async () => {
      for await (const { found, expected } of goldenSteps(engine, make(example.options), example))
        expectClose(found, expected, 1e-5)
    })
}

/**
 * Contract of an optimizer, or of one `link` of a chain of optimizers. It minimizes the functions of {@link optimizerTasks}; a
 * technique that cannot states `exceptions: { parabola | rosenbrock | logistic | leastSquares: reason }` in its manifest. A link minimizes the
 * parabola and the least squares together with plain SGD, returns an update for each gradient and no other, and computes the same compiled as eagerly.
 *
 * @example
 * ```ts no-run
 * import { OPTIMIZER, definePlugin } from '@attune/core'
 * import { clipByGlobalNorm } from '@attune/nn'
 * import { describeOptimizer } from '@attune/testkit'
 * import { z } from 'zod'
 * const clip = definePlugin({
 *   kind: OPTIMIZER, name: 'clip', summary: 'Gradient clipping by global norm',
 *   options: z.strictObject({ norm: z.number().positive().default(1).describe('Maximum norm') }),
 *   create: ({ norm }) => clipByGlobalNorm(norm),
 * })
 * describeOptimizer(clip, { link: 'before' })
 * ```
 */
export function describeOptimizer(
  plugin: AnyPlugin,
  { options = {}, golden, minimizes = {}, link = golden?.link }: OptimizerFixture = {},
): void {
  describe(`optimizer ${plugin.name}`, () => {
    const engine = referenceEngine()
    const alone = (given = options): Optimizer => instanceOf(plugin, given, golden ?? {})
    const subject: OptimizerSubject = {
      plugin,
      engine,
      alone,
      make: (given = options) => chained(alone(given), link),
      begin(optimizer) {
        const params = engine.put(start) as Params
        return { params, state: engine.compile(() => optimizer.init(params))() }
      },
    }
    beforeAll(() => engine.start())
    afterAll(() => engine.close())
    describeOptions(plugin, options)
    describeState(subject)
    describeUpdate(subject)
    describeEvaluationParams(subject)
    if (link === undefined) describeLearningRate(subject)
    else describeLink(subject)
    describeMinima(subject, minimizes, link)
    if (golden !== undefined) describeGolden(subject, golden)
  })
}
