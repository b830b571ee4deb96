import {
  type AnyPlugin,
  type Engine,
  type LayerHook,
  type LayerSite,
  type Model,
  type Params,
  type TextInputs,
  key,
} from '@attune/core'
import { withHook } from '@attune/nn'
import { type Tensor, mul } from '@tensorflow/tfjs-core'
import { checkPromise } from './exceptions.js'
import { textInputs } from './host-array.js'
import { expect, it } from './runner.js'

/** Model under test. */
interface Subject {
  readonly plugin: AnyPlugin
  readonly engine: Engine
  readonly make: () => Model
}

const ROWS = [[7, 3, 9, 4, 12, 6], [5, 8, 2], [11]] as const

/** Inference outputs with a hook around the layers. */
async function outputsUnder({ engine, make }: Subject, params: Params, hook: LayerHook | undefined) {
  const forward = engine.compile((p: Params, inputs: TextInputs) => {
    const { lastHiddenState, pooled } = make().forward(withHook(p, hook), inputs, { training: false })
    return { lastHiddenState, pooled }
  })
  const inputs = engine.put(textInputs(ROWS)) as TextInputs
  return engine.read(forward(params, inputs))
}

/** Names of layers with a weight matrix in the checkpoint, except those of a frozen encoder inside the model. */
const matricesIn = ({ encoder }: Model, params: Params): string[] =>
  Object.keys(params)
    .filter((name) => name.endsWith('.weight') && params[name]!.rank === 2)
    .filter((name) => encoder === undefined || !name.startsWith(encoder.prefix))
    .map((name) => name.slice(0, -'.weight'.length))
    .sort()

/** Layer hook that scales the outputs of one kind of layer. */
const scaling =
  (kind: LayerSite['kind']): LayerHook =>
  (site, x, compute) => {
    const y: Tensor = compute(x)
    return site.kind === kind ? mul(y, 1.5) : y
  }

/** Tests that layer hooks see every linear layer, embedding and attention block. */
export function describeHooks(subject: Subject): void {
  const seen = async (params: Params) => {
    const sites: LayerSite[] = []
    const hook: LayerHook = (site, x, compute) => {
      sites.push(site)
      return compute(x)
    }
    const outputs = await outputsUnder(subject, params, hook)
    return { sites, outputs }
  }

  it('exposes every weight matrix to layer hooks under its name', async () => {
    const model = subject.make()
    const params = model.init(key(1))
    const { sites } = await seen(params)
    const weighted = sites.filter(({ kind }) => kind !== 'attention')
    const own = new Set(matricesIn(model, params))
    expect([...new Set(weighted.map(({ name }) => name))].filter((name) => own.has(name)).sort()).toEqual([...own])
    for (const { name, weight } of weighted)
      if (own.has(name)) expect([name, weight?.shape]).toEqual([name, params[`${name}.weight`]!.shape])
    const blocks = sites.filter(({ kind }) => kind === 'attention')
    await checkPromise(subject.plugin, 'attentions', (reason) => {
      if (reason === undefined) expect(blocks.length).toBeGreaterThan(0)
    })
  })

  it('computes the same bits with an identity hook, and others with a hook that scales one kind of layer', async () => {
    const params = subject.make().init(key(1))
    const plain = await outputsUnder(subject, params, undefined)
    const { sites, outputs } = await seen(params)
    expect(outputs).toEqual(plain)
    for (const kind of new Set(sites.map((site) => site.kind))) {
      const scaled = await outputsUnder(subject, params, scaling(kind))
      expect([kind, JSON.stringify(scaled) === JSON.stringify(plain)]).toEqual([kind, false])
    }
  })
}
