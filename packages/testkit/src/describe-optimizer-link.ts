import type { Hyper, Optimizer, Params, Tree } from '@attune/core'
import { restrictTo } from '@attune/nn'
import { scalar } from '@tensorflow/tfjs-core'
import { expectClose } from './expect-close.js'
import { onlyTensors } from './only-tensors.js'
import { gradients, hyperArrays, signature, start, stepOf } from './optimizer-steps.js'
import type { OptimizerSubject } from './optimizer-subject.js'
import { expect, it } from './runner.js'

/** The parameter that a restricted link updates. */
const ONLY = 'a.weight'

/** Tests the parameters to evaluate and save, of an optimizer that has them. */
export function describeEvaluationParams({ engine, make, begin }: OptimizerSubject): void {
  if (make().evaluationParams === undefined) return
  it('returns evaluation parameters for all parameters, of the same shapes, and modifies nothing', async () => {
    const optimizer = make()
    const begun = begin(optimizer)
    const before = await engine.read({ ...begun } as Tree)
    const evaluated = engine.compile((state: Tree, params: Params) => optimizer.evaluationParams!(state, params))
    const once = onlyTensors(() => evaluated(begun.state, begun.params))
    expect(signature(once).sort()).toEqual(signature(begun.params).sort())
    expect(await engine.read(evaluated(begun.state, begun.params))).toEqual(await engine.read(once))
    expect(await engine.read({ ...begun } as Tree)).toEqual(before)
  })
}

/** Tests the update of a link: an update for each gradient it gets, and no other. */
function describeUpdates({ engine, alone, begin }: OptimizerSubject): void {
  const updatesOf = (link: Optimizer): Params => {
    const { params, state } = begin(link)
    const hyper: Hyper = engine.put(hyperArrays(0.1, 1))
    const grads = engine.put(gradients(1)[0]!) as unknown as Params
    const step = (p: Params, s: Tree, g: Params, h: Hyper) =>
      link.update(g, s, p, h, (at) => ({ loss: scalar(0), grads: at, weight: scalar(1) })).updates
    return onlyTensors(() => engine.compile(step)(params, state, grads, hyper))
  }

  it('returns an update for each gradient, of its shape and dtype, and reads no tensor on the host', () => {
    expect(signature(updatesOf(alone())).sort()).toEqual(signature(engine.put(start) as Params).sort())
  })

  it('passes on the gradients of parameters outside `only`', async () => {
    const updates = updatesOf(restrictTo(alone(), ONLY))
    const { [ONLY]: restricted, ...others } = (await engine.read(updates)) as Record<string, unknown>
    expect(restricted).toBeDefined()
    const { [ONLY]: _, ...expected } = gradients(1)[0]!
    expectClose(others, expected, 0)
  })
}

/**
 * Contract of a link of a chain, in addition to the contract of its state and purity: it returns an update for each gradient
 * and no other, and computes the same compiled as eagerly.
 */
export function describeLink(subject: OptimizerSubject): void {
  const { engine, make, begin } = subject
  describeUpdates(subject)

  it('computes the same bits compiled as eagerly, with an instance of its own for each step', async () => {
    const compiled = engine.compile(stepOf(make()))
    let [one, other] = [begin(make()), begin(make())]
    for (const [i, gradient] of gradients(4).entries()) {
      const grads = (): Params => engine.put(gradient) as unknown as Params
      const hyper: Hyper = engine.put(hyperArrays(0.1, i + 1))
      one = compiled(one.params, one.state, grads(), hyper)
      other = stepOf(make())(other.params, other.state, grads(), hyper)
      expect(await engine.read({ ...other } as Tree)).toEqual(await engine.read({ ...one } as Tree))
    }
  })
}
