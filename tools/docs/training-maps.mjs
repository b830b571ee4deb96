// @ts-check
/**
 * Draws which parameters of BERT-base train under several adapters: `node tools/docs/training-maps.mjs`. Writes
 * docs/images/training-maps.svg. The packages must be built.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ADAPTER, MODEL, key, userSpecifier } from '@attune/core'
import { deferredWeights, eagerEngine } from '@attune/nn'
import { findPlugin } from '@attune/resolve'
import { trainingMapSvg } from '@attune/terminal'
import { sizesOf, trainingMap } from '@attune/trainer/node'
import { zeros } from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs'

/** @import { Adapter, Model, Params } from '@attune/core' */

const root = join(import.meta.dirname, '../..')
const search = { folders: [root] }
/** @type {readonly [title: string, adapter: string, options: Record<string, unknown>][]} */
const SHOWN = [
  ['full', 'full', {}],
  ['head-only', 'head-only', {}],
  ['top-layers, count: 4', 'top-layers', { count: 4 }],
  ['attention-only', 'attention-only', {}],
  ['norms-only', 'norms-only', {}],
  ['bitfit', 'bitfit', {}],
  ['lora, rank: 8', 'lora', {}],
  ['lora, targets: all-linear', 'lora', { targets: 'all-linear' }],
  ['frozen-layers, count: 8', 'frozen-layers', { count: 8 }],
]
const LABELS = 2

/** Parameters of the model's shapes. Those of one shape share a tensor, since only sizes are counted. @param {Model} model @returns {Params} */
function parametersOf(model) {
  const tensors = new Map()
  const shared = (/** @type {readonly number[]} */ shape) => {
    const name = shape.join()
    if (!tensors.has(name)) tensors.set(name, zeros([...shape]))
    return tensors.get(name)
  }
  const deferred = deferredWeights(() => model.init(key(1))) ?? {}
  return {
    ...Object.fromEntries(Object.entries(deferred).map(([name, { shape }]) => [name, shared(shape)])),
    'classifier.weight': shared([LABELS, model.hiddenSize]),
    'classifier.bias': shared([LABELS]),
  }
}

const engine = eagerEngine({ backend: 'cpu', device: 'cpu', load: () => Promise.resolve() })
await engine.start()
const bert = await findPlugin(MODEL, userSpecifier('bert'), search)
const model = /** @type {Model} */ (bert.plugin())
const params = parametersOf(model)
const maps = []
for (const [title, name, options] of SHOWN) {
  const { plugin } = await findPlugin(ADAPTER, userSpecifier(name), search)
  const adapter = /** @type {Adapter} */ (plugin(options, /** @type {never} */ ({ engine, randomness: key(1) })))
  const { trainable } = await adapter.adapt(model, params)
  const { groups } = trainingMap(model, { model: sizesOf(params), trainable: sizesOf(trainable) })
  maps.push({ title, rows: groups })
}
await engine.close()
writeFileSync(join(root, 'docs/images/training-maps.svg'), trainingMapSvg(maps))
