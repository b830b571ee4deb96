import {
  type AnyPlugin,
  AttuneError,
  type Hyper,
  OPTIMIZER,
  type Optimizer,
  type Tree,
  definePlugin,
  isTensor,
  mapParams,
  use,
} from '@attune/core'
import { matchesPattern, partition } from '@attune/nn'
import {
  type Tensor,
  add,
  div,
  floor,
  greater,
  maximum,
  minimum,
  mod,
  mul,
  sub,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** A tree in which every tensor is that of `next` if `isTurn` is true, and that of `before` otherwise. */
function chooseTree(isTurn: Tensor, next: Tree, before: Tree): Tree {
  if (isTensor(next)) return where(isTurn, next, before as Tensor)
  const entries = Object.entries(next).map(([name, tree]) => {
    return [name, chooseTree(isTurn, tree, (before as Exclude<Tree, Tensor>)[name]!)] as const
  })
  return Object.fromEntries(entries)
}

/** The steps of one part in each cycle: `count` of `cycle`, from `first`, which counts from 0. */
interface Turns {
  readonly first: number
  readonly count: number
  readonly cycle: number
}

/** An optimizer that takes steps in its turns only, and counts only these. In the others neither its parameters nor its state change. */
const inTurns = (inner: Optimizer, { first, count, cycle }: Turns): Optimizer => ({
  init: inner.init.bind(inner),
  update(grads, state, params, hyper) {
    const before = sub(hyper.step, 1)
    const done = sub(add(mod(before, cycle), 1), first) // steps of the part in this cycle, if it is between 1 and count
    const own = add(mul(floor(div(before, cycle)), count), minimum(maximum(done, 0), count))
    const isTurn = greater(mul(done, sub(count + 1, done)), 0)
    const next = inner.update(grads, state, params, { ...hyper, step: maximum(own, 1) } as Hyper)
    return {
      updates: mapParams((u) => where(isTurn, u, zerosLike(u)), next.updates),
      state: chooseTree(isTurn, next.state, state),
    }
  },
})

/** @throws AttuneError `BAD_OPTIONS` for a link of a chain, or an optimizer that evaluates the loss again */
function requireComplete({ link, needsClosure }: Optimizer, name: string): void {
  if (link === undefined && needsClosure === undefined) return
  throw new AttuneError(
    'BAD_OPTIONS',
    `optimizer alternating: expected an optimizer that needs the gradients only, got ${name}`,
    'Name an optimizer such as adam, adamw or sgd; put links before or after alternating in the chain.',
  )
}

/**
 * Alternating updates: the parameters are in two parts that train in turns, as the generator and the discriminator of a GAN. Both parts have
 * the same optimizer, each with a state of its own.
 *
 *     a cycle:   otherSteps updates of all other parameters, then partSteps updates of the parameters that match `part`
 *
 * In the turn of the other part, parameters and state of a part stay the same bit for bit: neither momentum nor weight decay moves them, and Adam's
 * bias correction counts the part's own steps. Gradients of both parts are computed at every step. The learning rate is that of the run's step.
 * Near neighbour: gradual-unfreezing sets updates to 0, but moments keep changing.
 */
export const alternating = definePlugin({
  kind: OPTIMIZER,
  name: 'alternating',
  summary: 'Alternating updates: two groups of parameters train in turns, each with an optimizer of its own',
  source: 'Goodfellow et al., Generative Adversarial Nets, 2014, algorithm 1',
  options: z.strictObject({
    optimizer: use(OPTIMIZER).describe('Optimizer of both parts: `{ use: adam, beta1: 0.5 }`'),
    part: z
      .string()
      .min(1)
      .describe('Parameters of the part that trains second, a pattern of names: * any characters, | or, ! except'),
    otherSteps: z.int().min(1).max(1000).default(1).describe('Steps of all other parameters in a cycle'),
    partSteps: z.int().min(1).max(1000).default(1).describe('Steps of the part in a cycle'),
  }),
  create({ optimizer: { plugin, options }, part, otherSteps, partSteps }): Optimizer {
    const inner = (plugin as AnyPlugin)(options) as Optimizer
    requireComplete(inner, (plugin as AnyPlugin).name)
    const cycle = otherSteps + partSteps
    return partition(
      (name) => matchesPattern(name, part),
      inTurns(inner, { first: otherSteps, count: partSteps, cycle }),
      inTurns(inner, { first: 0, count: otherSteps, cycle }),
    )
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer alternating': typeof alternating
  }
}

export default alternating
