import type { Params, StepKey } from '@attune/core'
import {
  attention,
  crossEntropy,
  dropout,
  embedding,
  gelu,
  geluTanh,
  layerNorm,
  linear,
  logSigmoid,
  noise,
  paddingBias,
  activationCheckpoint,
  under,
} from '@attune/nn'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import { type EngineProgram, differentiated, normal } from './engine-program.js'
import { floats, integers } from './host-array.js'
import { lossPrograms } from './loss-programs.js'

const SPREAD = [-30, -5, -2.5, -1, -0.5, -1e-3, 0, 1e-6, 1e-3, 0.3, 0.9, 1, 2, 4.2, 9, 25]

const broadcasts = [
  [
    [3, 4],
    [3, 4],
  ],
  [[3, 4], [4]],
  [[4], [3, 4]],
  [[3, 4], []],
  [[], [3, 4]],
  [
    [3, 1],
    [1, 4],
  ],
  [
    [2, 3, 1],
    [2, 1, 5],
  ],
  [
    [2, 1, 1, 5],
    [2, 3, 5, 5],
  ],
  [
    [2, 3, 5],
    [2, 3, 1],
  ],
] as const

const arithmetic: EngineProgram[] = broadcasts.flatMap(([a, b]) => {
  const words = `of [${a.join()}] and [${b.join()}]`
  const inputs = { a: normal(...a), b: normal(...b) }
  return [
    differentiated(`arithmetic ${words}`, inputs, ({ a, b }) =>
      tf.addN([tf.add(a!, b!), tf.sub(a!, b!), tf.mul(a!, b!), tf.div(a!, tf.add(2, tf.square(b!)))]),
    ),
    // TF.js has no gradient of a minimum whose operands are broadcast.
    {
      name: `minimum and maximum ${words}`,
      inputs,
      run: ({ a, b }) => ({ minimum: tf.minimum(a!, b!), maximum: tf.maximum(a!, b!) }),
    },
  ]
})

const elementwise: EngineProgram[] = [
  ...(['exp', 'erf', 'tanh', 'sigmoid', 'square', 'neg', 'relu', 'abs'] as const).map((name) =>
    differentiated(name, { x: floats(SPREAD.map((x) => (name === 'exp' ? x / 5 : x))) }, ({ x }) => tf[name](x!)),
  ),
  ...(['sqrt', 'rsqrt', 'log'] as const).map((name) =>
    differentiated(name, { x: floats([1e-3, 0.5, 1, 7, 400]) }, ({ x }) => tf[name](x!)),
  ),
  differentiated('gelu', { x: floats(SPREAD) }, ({ x }) => gelu(x!)),
  differentiated('geluTanh', { x: floats(SPREAD) }, ({ x }) => geluTanh(x!)),
  {
    name: 'comparisons, casts and choices',
    inputs: { a: floats(SPREAD), b: floats([...SPREAD].reverse()), n: integers(SPREAD.map((_, i) => i % 3)) },
    run({ a, b, n }) {
      const chosen = tf.greaterEqual(a!, b!)
      return {
        chosen,
        scalar: tf.greaterEqual(a!, 0.3),
        greater: tf.greater(a!, b!),
        equal: tf.equal(n!, 1),
        where: tf.where(chosen, a!, b!),
        indicator: tf.cast(tf.greater(n!, 0), 'float32'),
        float: tf.cast(n!, 'float32'),
        int: tf.cast(a!, 'int32'),
        power: tf.pow(0.9, tf.cast(n!, 'float32')),
      }
    },
  },
]

const reductions: EngineProgram[] = [
  undefined,
  ...[0, 1, 2, 3, -1, [0, 1], [0, 1, 2], [2, 3], [1, 2, 3], [1, 2], [0, 3], [-1, -2]],
].map((axis) =>
  differentiated(
    `sum, mean and maximum over ${axis === undefined ? 'all axes' : `axis ${String(axis)}`}`,
    { x: normal(3, 2, 5, 7) },
    ({ x }) =>
      tf.addN([
        tf.sum(x!, axis, true),
        tf.mean(x!, axis, true),
        tf.max(x!, axis, true),
        tf.reshape(tf.sum(x!, axis), tf.sum(x!, axis, true).shape),
      ]),
  ),
)

/** As many tensors as the gradients of a model: a GPU shader has only a few buffer bindings. */
const many = Object.fromEntries(Array.from({ length: 41 }, (_, i) => [`x${i}`, normal(2, 3)]))
const gathering = [
  differentiated('a sum of 41 tensors', many, (p) => tf.addN(Object.values(p))),
  differentiated('41 tensors in one', many, (p) => tf.concat(Object.values(p), 1)),
]

const shapes = (transposeA: boolean, transposeB: boolean, rows: number, inner: number, columns: number) =>
  [transposeA ? [inner, rows] : [rows, inner], transposeB ? [columns, inner] : [inner, columns]] as const

const products = [
  { batch: [[], []], size: [5, 3, 4] },
  { batch: [[], []], size: [1, 1, 1] },
  { batch: [[], []], size: [13, 1100, 7] },
  { batch: [[], []], size: [7, 1100, 13] },
  { batch: [[6], [6]], size: [5, 9, 4] },
  {
    batch: [
      [2, 3],
      [2, 3],
    ],
    size: [9, 5, 6],
  },
  { batch: [[4], [1]], size: [5, 3, 4] },
  { batch: [[1], [4]], size: [5, 3, 4] },
  { batch: [[2, 3], []], size: [5, 3, 4] },
  { batch: [[], [2, 3]], size: [5, 3, 4] },
].flatMap(({ batch, size }) =>
  [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) => {
      const [a, b] = shapes(transposeA, transposeB, ...(size as [number, number, number]))
      const [left, right] = [
        [...batch[0]!, ...a],
        [...batch[1]!, ...b],
      ]
      const words = `[${left.join()}]${transposeA ? 'ᵀ' : ''} · [${right.join()}]${transposeB ? 'ᵀ' : ''}`
      const inputs = { a: normal(...left), b: normal(...right) }
      const product = (a: Tensor, b: Tensor): Tensor =>
        tf.div(tf.matMul(a, b, transposeA, transposeB), Math.sqrt(size[1]!))
      // TF.js has no gradient of a product whose batches are broadcast.
      return String(batch[0]) === String(batch[1])
        ? differentiated(words, inputs, ({ a, b }) => product(a!, b!))
        : { name: words, inputs, run: ({ a, b }: Readonly<Record<string, Tensor>>) => ({ value: product(a!, b!) }) }
    }),
  ),
)

const ids = integers([3, 0, 3, 9, 1, 3], [2, 3])

const movement: EngineProgram[] = [
  differentiated('gather', { table: normal(10, 4) }, ({ table, ids }) => tf.gather(table!, ids as Tensor1D), { ids }),
  differentiated(
    'gather along axis 1',
    { table: normal(4, 10, 2) },
    ({ table, ids }) => tf.gather(table!, ids as Tensor1D, 1),
    { ids: integers([2, 9, 2]) },
  ),
  ...[
    [1, 0, 2, 3],
    [0, 2, 1, 3],
    [0, 1, 3, 2],
    [3, 2, 1, 0],
  ].map((perm) =>
    differentiated(`transpose by ${perm.join()}`, { x: normal(2, 9, 70, 6) }, ({ x }) => tf.transpose(x!, perm)),
  ),
  differentiated('reshape, slice, squeeze, concat and pad', { x: normal(2, 3, 4) }, ({ x }) =>
    tf.pad(
      tf.concat(
        [tf.squeeze(tf.slice(x!, [0, 1, 0], [-1, 1, -1]), [1]), tf.reshape(tf.slice(x!, [0, 0, 1], [2, 2, 2]), [2, 4])],
        1,
      ),
      [
        [0, 1],
        [2, 0],
      ],
    ),
  ),
  {
    name: 'scatter, range, ones and zeros',
    inputs: { rows: normal(4, 3), at: integers([2, 0, 2, 5], [4, 1]) },
    run: ({ rows, at }) => ({
      scattered: tf.scatterND(at!, rows!, [6, 3]),
      counted: tf.range(0, 5, 1, 'int32'),
      same: tf.add(tf.onesLike(rows!), tf.zerosLike(rows!)),
    }),
  },
]

const seed = (given: Readonly<Record<string, Tensor>>): StepKey => ({ seed: given['seed']!, stream: 3 })

const layers: EngineProgram[] = [
  differentiated('softmax', { x: normal(3, 4, 9) }, ({ x }) => tf.softmax(x!)),
  differentiated('layer norm', { x: normal(3, 4, 9), 'n.weight': normal(9), 'n.bias': normal(9) }, (p) =>
    layerNorm(p, 'n', p['x']!, 1e-5),
  ),
  differentiated('linear', { x: normal(3, 4, 9), 'l.weight': normal(5, 9), 'l.bias': normal(5) }, (p) =>
    linear(p, 'l', p['x']!),
  ),
  differentiated('embedding', { 'e.weight': normal(10, 4) }, (p) => embedding(p, 'e', p['ids']!), { ids }),
  differentiated('cross-entropy', { x: normal(4, 3) }, (p) => crossEntropy(p['x']!, p['labels']!), {
    labels: integers([2, 0, 1, 1]),
  }),
  differentiated('dropout', { x: normal(5, 40) }, (p) => dropout(p['x']!, 0.3, { training: true, key: seed(p) }), {
    seed: integers([5, 6]),
  }),
  differentiated(
    'dropout with a rate that is a tensor',
    { x: normal(5, 40) },
    (p) => dropout(p['x']!, p['rate']!, { training: true, key: seed(p) }),
    { rate: { shape: [], dtype: 'float32', values: Float32Array.of(0.3) }, seed: integers([5, 6]) },
  ),
  differentiated('log-sigmoid', { x: normal(5, 4) }, ({ x }) => logSigmoid(tf.mul(x!, 40))),
  {
    name: 'noise',
    inputs: { seed: integers([5, 6]) },
    run: (p) => ({ uniform: noise(seed(p), [7, 9], 'uniform'), normal: noise(seed(p), [7, 9], 'normal') }),
  },
  differentiated(
    'attention',
    { q: normal(2, 7, 6), k: normal(2, 7, 6), v: normal(2, 7, 6) },
    (p) =>
      attention({ q: p['q']!, k: p['k']!, v: p['v']!, bias: paddingBias(p['mask']!) }, 3, 0.2, {
        training: true,
        key: seed(p),
      }),
    { mask: integers([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0], [2, 7]), seed: integers([8, 9]) },
  ),
  differentiated(
    'gradient checkpointing',
    { x: normal(3, 5), 'a.weight': normal(5, 5), 'a.bias': normal(5), 'b.weight': normal(5, 5), 'b.bias': normal(5) },
    (p) => {
      const mode = { training: true, key: seed(p), gradientCheckpointing: true } as const
      const layer = (own: Params, x: Tensor): Tensor =>
        dropout(tf.tanh(linear(own, Object.keys(own)[0]!.split('.')[0]!, x)), 0.2, mode)
      return activationCheckpoint(
        layer,
        under(p, 'b.'),
        [activationCheckpoint(layer, under(p, 'a.'), [p['x']!], mode)],
        mode,
      )
    },
    { seed: integers([4, 2]) },
  ),
]

/** Every operation that `@attune/nn` uses, over shapes, broadcasts and types, its layers and its losses, each with gradients. */
export const enginePrograms: readonly EngineProgram[] = [
  ...arithmetic,
  ...elementwise,
  ...reductions,
  ...gathering,
  ...products,
  ...movement,
  ...layers,
  ...lossPrograms,
]
