import '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { gelu, gradients, layerNorm, linear } from '@attune/nn'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { jit } from '../jit.js'

beforeAll(() => {
  tf.enableProdMode()
  return tf.setBackend('cpu')
})

const random = (seed: number, ...shape: number[]): Tensor => tf.randomNormal(shape, 0, 0.3, 'float32', seed)

const WIDTH = 6
type Weights = Record<string, Tensor>
const weights = (): Weights => ({
  table: random(1, 20, WIDTH),
  'norm.weight': random(2, WIDTH),
  'norm.bias': random(3, WIDTH),
  'key.weight': random(4, WIDTH, WIDTH),
  'key.bias': random(5, WIDTH),
  'value.weight': random(6, WIDTH, WIDTH),
  'value.bias': random(7, WIDTH),
})

/** Self-attention over token ids of shape [batch, length], in which 0 is padding. */
function encode(w: Weights, ids: Tensor): Tensor {
  const [batch, length] = ids.shape as [number, number]
  const positions = tf.gather(w['table']!, tf.range(0, length, 1, 'int32'))
  const x = layerNorm(w, 'norm', tf.add(tf.gather(w['table']!, ids), positions), 1e-5)
  const heads = (y: Tensor): Tensor => tf.transpose(tf.reshape(y, [batch, length, 2, WIDTH / 2]), [0, 2, 1, 3])
  const [keys, values] = ['key', 'value'].map((name) => heads(linear(w, name, x))) as [Tensor, Tensor]
  const padding = tf.mul(-1e4, tf.cast(tf.equal(ids, 0), 'float32'))
  const scores = tf.add(tf.matMul(keys, keys, false, true), tf.reshape(padding, [batch, 1, 1, length]))
  const mixed = tf.transpose(tf.matMul(tf.softmax(scores), values), [0, 2, 1, 3])
  return gelu(tf.reshape(mixed, [batch, length, WIDTH]))
}

/** Gradient descent on the mean square of the encoding. */
function step(w: Weights, ids: Tensor) {
  const { value, grads } = gradients(() => tf.mean(tf.square(encode(w, ids))), w)
  return { value, w: Object.fromEntries(Object.entries(w).map(([name, p]) => [name, tf.sub(p, grads[name]!)])) }
}

const idsOf = (batch: number, length: number): Tensor =>
  tf.tensor2d(
    Array.from({ length: batch * length }, (_, i) => (i * 7 + batch) % 20),
    [batch, length],
    'int32',
  )

/** Values of a step with its own sessions, for each shape. */
const alone = (w: Weights, ids: Tensor): number[] => {
  const f = jit(step)
  const values = valuesOf(f(w, ids))
  f.dispose()
  return values
}

const valuesOf = ({ value, w }: ReturnType<typeof step>): number[] =>
  [value, ...Object.values(w)].flatMap((tensor) => [...tensor.dataSync()])

/** Runs a step for several shapes and compares each result bit for bit with that of a session of its own. */
function sessionsFor(shapes: readonly (readonly [batch: number, length: number])[]) {
  const [w, f] = [weights(), jit(step)]
  for (const [batch, length] of [...shapes, ...shapes]) {
    const ids = idsOf(batch, length)
    expect(valuesOf(f(w, ids))).toEqual(alone(w, ids))
  }
  const { compiled, open } = f.sessions
  const graphs = f.graphs.size
  f.dispose()
  return { graphs, compiled, open, openAfter: f.sessions.open }
}

describe('graphs of a function for several shapes', () => {
  it('share one session, which is compiled twice for nine lengths', () => {
    const lengths = [9, 5, 12, 7, 10, 3, 11, 8, 4]
    expect(sessionsFor(lengths.map((length) => [2, length]))).toEqual({ graphs: 9, compiled: 2, open: 1, openAfter: 0 })
  })

  it('share one session that is compiled again when another dimension differs', () => {
    expect(
      sessionsFor([
        [4, 5],
        [4, 7],
        [4, 9],
        [3, 7],
        [2, 10],
      ]),
    ).toEqual({ graphs: 5, compiled: 3, open: 1, openAfter: 0 })
  })

  it('share one session if dimensions are equal by chance, in the first graph or a later one', () => {
    const shapes = [
      [5, 5],
      [5, 7],
      [6, 6],
      [WIDTH, WIDTH],
      [2, WIDTH],
    ] as const
    for (const order of [shapes, [...shapes].reverse()]) expect(sessionsFor(order).open).toBe(1)
  })

  it('return the values of their own sessions if a dimension is 1', () => {
    expect(
      sessionsFor([
        [3, 4],
        [1, 4],
        [3, 1],
        [1, 1],
        [1, 6],
        [3, 5],
      ]).graphs,
    ).toBe(6)
  })

  it('have their own sessions if the length determines the operations', () => {
    const f = jit((x: Tensor) => tf.cumprod(x))
    for (const length of [2, 3, 4])
      expect(
        f(tf.fill([length], 2))
          .dataSync()
          .at(-1),
      ).toBe(2 ** length)
    expect(f.sessions).toMatchObject({ compiled: 3, open: 3 })
  })

  it('have at most 16 open sessions', () => {
    const f = jit((x: Tensor) => tf.cumprod(x))
    for (let length = 2; length < 22; length++) f(tf.ones([length]))
    expect([f.sessions.compiled, f.sessions.open, f.graphs.size]).toEqual([20, 16, 16])
  })

  it('write results over donated arguments', () => {
    const f = jit(step, { donate: [0] })
    let [w, reference] = [weights(), weights()]
    for (const length of [4, 6, 4, 9, 5]) {
      const own = jit(step)
      const ids = idsOf(3, length)
      const [found, wanted] = [f(w, ids), own(reference, ids)]
      expect(valuesOf(found)).toEqual(valuesOf(wanted))
      own.dispose()
      ;[w, reference] = [found.w, wanted.w]
    }
    expect(f.sessions.open).toBe(1)
  })

  it('share constant arguments', () => {
    const f = jit((w: Weights, ids: Tensor) => encode(w, ids), { constant: [0] })
    const w = weights()
    for (const length of [4, 6, 9]) {
      const found = f(w, idsOf(2, length)).dataSync()
      const own = jit(encode, { constant: [0] })
      expect([...found]).toEqual([...own(w, idsOf(2, length)).dataSync()])
      own.dispose()
    }
    expect(f.sessions).toMatchObject({ compiled: 2, open: 1 })
  })
})
