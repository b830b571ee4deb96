import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  type Batch,
  type HostArray,
  type LayerHook,
  type LossCall,
  type OnDevice,
  type Params,
  type Regularizer,
  type TextInputs,
  key,
} from '@attune/core'
import { crossEntropy, modeAt, gradients, noise, penalty, stopGradient, withHook } from '@attune/nn'
import { tinyModel } from '@attune/testkit'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { lossAndGradients } from './training-step.js'
import { graphEngine, hyperOf, takeSteps, tinyItems, tinyObjective, tinyParams } from './tiny.test.fixture.js'

const engine = graphEngine()
const model = tinyModel()
const objective = tinyObjective(model)
const WORDS = 'tiny.embeddings.word_embeddings'
beforeAll(() => engine.start())
afterAll(() => engine.close())

/** Transforms the output of the word embeddings. */
const atWords =
  (change: (x: Tensor) => Tensor): LayerHook =>
  (site, x, compute) =>
    site.kind === 'embedding' && site.name === WORDS ? change(compute(x)) : compute(x)

/** R-Drop: mean loss of two forward passes plus the symmetric KL divergence of their predictions. Wu et al., 2021. */
const rDrop = (strength: number): Regularizer => ({
  wrap: (loss) => (call) => {
    const [a, b] = [loss(call), loss({ ...call, mode: modeAt(call.mode, 77) })]
    const [p, q] = [a.head as Tensor, b.head as Tensor].map((logits) => tf.logSoftmax(logits)) as [Tensor, Tensor]
    const divergence = tf.mul(0.5, tf.sum(tf.mul(tf.sub(tf.exp(p), tf.exp(q)), tf.sub(p, q))))
    return { sum: tf.add(tf.mul(0.5, tf.add(a.sum, b.sum)), tf.mul(strength, divergence)), weight: a.weight }
  },
})

/** NEFTune: uniform noise of magnitude `alpha/√(length·width)` on the word embeddings. Jain et al., 2023. */
const neftune = (alpha: number): Regularizer => ({
  wrap: (loss) => (call) => loss({ ...call, hook: atWords((e) => tf.add(e, noiseOn(e, alpha, call.mode))) }),
})
const noiseOn = (e: Tensor, alpha: number, mode: LossCall['mode']): Tensor => {
  const own = modeAt(mode, 501)
  const [, length, width] = e.shape as [number, number, number]
  if (!own.training) return tf.zerosLike(e)
  return tf.mul(tf.sub(tf.mul(noise(own.key, e.shape, 'uniform'), 2), 1), alpha / Math.sqrt(length * width))
}

/** Fast gradient method (FGM): adds the loss with word embeddings perturbed by `epsilon` along their gradient. Miyato et al., 2017. */
const fgm = (epsilon: number): Regularizer => ({
  wrap: (loss) => (call) => {
    const inputs = call.batch.inputs as unknown as TextInputs
    const delta = tf.zeros([...inputs.inputIds.shape, model.hiddenSize])
    const moved = (by: Tensor) => loss({ ...call, hook: atWords((e) => tf.add(e, by)) })
    const { grads } = gradients(
      () => {
        const { sum, weight } = loss({ ...call, hook: atWords((e) => tf.add(stopGradient(e), delta)) })
        return tf.div(sum, weight)
      },
      { delta },
    )
    const g = stopGradient(grads['delta']!)
    const attacked = moved(tf.mul(epsilon, tf.div(g, tf.add(tf.norm(g), 1e-12))))
    const clean = loss(call)
    return { sum: tf.add(clean.sum, attacked.sum), weight: clean.weight }
  },
})

type OnHost = { readonly loss: HostArray; readonly grads: Readonly<Record<string, HostArray>> }

const evaluate = async (regularizers: readonly Regularizer[], params: Params): Promise<OnHost> => {
  const batch = engine.put(objective.collate(tinyItems(6))) as unknown as OnDevice<Batch>
  const program = engine.compile((p: Params) =>
    lossAndGradients(
      { model, objective, regularizers },
      { trainable: p, frozen: {}, batch, hyper: hyperOf(engine, { seed: key(9) }) },
    ),
  )
  return (await engine.read(program(params))) as unknown as OnHost
}

/** Checks some gradient entries against central differences. */
async function expectTrueGradient(regularizers: readonly Regularizer[]): Promise<void> {
  const params = tinyParams(engine)
  const { grads } = await evaluate(regularizers, params)
  for (const name of ['classifier.weight', 'tiny.pooler.dense.weight', 'tiny.encoder.layer.0.output.dense.bias']) {
    const host = (await engine.read(params[name]!)) as HostArray
    const moved = async (by: number): Promise<number> => {
      const values = (host.values as Float32Array).slice()
      values[1]! += by
      return (await evaluate(regularizers, { ...params, [name]: engine.put({ ...host, values }) })).loss.values[0]!
    }
    const numeric = ((await moved(5e-3)) - (await moved(-5e-3))) / 1e-2
    expect([name, grads[name]!.values[1]]).toEqual([name, expect.closeTo(numeric, 2)])
  }
}

describe('a regularizer that wraps the loss', () => {
  it('R-Drop adds the divergence of two forward passes, and its gradient matches finite differences', async () => {
    await expectTrueGradient([rDrop(0.7)])
    const params = tinyParams(engine)
    const [none, weak, strong] = [0, 1, 2].map(async (s) => (await evaluate([rDrop(s)], params)).loss.values[0]!)
    const divergence = (await weak!) - (await none!)
    expect(divergence).toBeGreaterThan(1e-4)
    expect((await strong!) - (await none!)).toBeCloseTo(2 * divergence, 5)
  })

  it('NEFTune adds seeded noise to the embeddings, and its gradient matches finite differences', async () => {
    await expectTrueGradient([neftune(5)])
    const params = tinyParams(engine)
    const losses = await Promise.all(
      [0, 5, 5].map(async (alpha) => (await evaluate([neftune(alpha)], params)).loss.values[0]!),
    )
    expect(losses[1]).toBe(losses[2])
    expect(Math.abs(losses[0]! - losses[1]!)).toBeGreaterThan(1e-4)
    expect((await evaluate([], params)).loss.values[0]).toBeCloseTo(losses[0]!, 6)
  })

  it('FGM matches the adversarial loss computed by hand', async () => {
    const params = tinyParams(engine)
    const { loss } = await evaluate([fgm(0.5)], params)
    const clean = (await evaluate([], params)).loss.values[0]!
    // By hand: the gradient at the embeddings' output, then the loss with the perturbed embeddings.
    const batch = engine.put(objective.collate(tinyItems(6))) as unknown as OnDevice<Batch>
    const { seed } = hyperOf(engine, { seed: key(9) })
    const mode = { training: true, key: { seed, stream: 0 }, gradientCheckpointing: false, launchBound: false } as const
    const inputs = batch.inputs as unknown as TextInputs
    const byHand = engine.compile((p: Params) => {
      const lossWith = (delta: Tensor): Tensor => {
        const hooked = atWords((e) => tf.add(e, delta))
        const outputs = model.forward(withHook(p, hooked), inputs, mode)
        return tf.mean(crossEntropy(objective.head(p, outputs, mode, batch as never), (batch as never)['labels']))
      }
      const delta = tf.zeros([6, 12, 8])
      const g = gradients(() => lossWith(delta), { delta }).grads['delta']!
      return { attacked: lossWith(tf.mul(0.5, tf.div(g, tf.norm(g)))), clean: lossWith(delta) }
    })
    const expected = await engine.read(byHand(params))
    expect(expected.clean.values[0]).toBeCloseTo(clean, 5)
    expect(expected.attacked.values[0]! as number).toBeGreaterThan(clean + 1e-3)
    expect(loss.values[0]).toBeCloseTo(clean + (expected.attacked.values[0]! as number), 5)
    const { losses } = await takeSteps(
      engine,
      { model, objective, regularizers: [fgm(0.5)] },
      { steps: 12, trainable: params },
    )
    expect(losses.at(-1)).toBeLessThan(losses[0]!)
  })

  it('wraps the earlier ones in the chain, so the first is the innermost', async () => {
    const params = tinyParams(engine)
    const one = penalty(() => tf.scalar(0.25))
    const doubled: Regularizer = {
      wrap: (loss) => (call) => {
        const { sum, weight } = loss(call)
        return { sum: tf.mul(2, sum), weight }
      },
    }
    const plain = (await evaluate([], params)).loss.values[0]!
    expect((await evaluate([one, doubled], params)).loss.values[0]).toBeCloseTo(2 * (plain + 0.25), 5)
    expect((await evaluate([doubled, one], params)).loss.values[0]).toBeCloseTo(2 * plain + 0.25, 5)
  })
})
