import { type Adapter, key } from '@attune/core'
import { filledWith } from '@attune/nn'
import { adapterPass } from './adapter-pass.js'
import { referenceEngine } from './reference-engine.js'
import { tinyModel } from './tiny-model.js'

/**
 * Names of parameters, sorted: those of the tiny model itself, and, with a classifier and a language-modeling head (`classifier.weight`,
 * `lm_head.weight`), those that an adapter trains and freezes.
 */
export async function adaptedNames(adapter: Adapter) {
  const engine = referenceEngine()
  await engine.start()
  const model = tinyModel()
  const own = model.init(key(1))
  const params = {
    ...own,
    'classifier.weight': filledWith([3, model.hiddenSize], 0),
    'lm_head.weight': filledWith(own[model.wordEmbeddings]!.shape, 0),
  }
  const pass = adapterPass(engine, model, params, [
    [7, 3, 9],
    [5, 8, 4],
  ])
  const { trainable, frozen } = await adapter.adapt(model, params, { pass })
  await engine.close()
  return {
    own: Object.keys(own).sort(),
    trainable: Object.keys(trainable).sort(),
    frozen: Object.keys(frozen).sort(),
  }
}
