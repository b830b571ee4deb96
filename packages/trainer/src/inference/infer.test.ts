import { describe, expect, it } from '@jest/globals'
import { type Objective, type Params, type Tree, key } from '@attune/core'
import { tfjsCpu } from '@attune/engine-tfjs-cpu'
import { sequenceClassification } from '@attune/objective-sequence-classification'
import { tinyModel, tinyTokenizer } from '@attune/testkit/tiny'
import type { Tensor } from '@tensorflow/tfjs-core'
import { inference } from './infer.js'

describe('inference', () => {
  it('keeps the parameters that a head returns as they are, and frees the rest of the result', async () => {
    const [engine, model] = [tfjsCpu(), tinyModel()]
    await engine.start()
    const plain = sequenceClassification({ labels: ['no', 'yes'] }, { model, tokenizer: tinyTokenizer() })
    const objective = {
      ...plain,
      head: (params: Params, ...others: unknown[]) => ({
        logits: (plain.head as (...all: unknown[]) => Tree)(params, ...others),
        bias: params['classifier.bias'],
      }),
      loss: ({ logits }: { logits: Tensor }, batch: unknown) => plain.loss(logits as never, batch as never),
      predict: ({ logits }: { logits: unknown }, items: never) => plain.predict(logits as never, items),
    } as unknown as Objective
    const params = { ...model.init(key(1)), ...plain.init(key(2)) }
    const forward = inference(engine, model, objective, { batchSize: 1 })
    const item = plain.encode({ text: 'a', label: 'yes' })
    const before = engine.live()
    for (let i = 0; i < 3; i++) expect(await forward.batch(params, [item])).toHaveLength(1)
    expect(engine.live()).toBe(before)
    expect(params['classifier.bias']!.isDisposed).toBe(false)
    forward.dispose()
    engine.release(params)
    await engine.close()
  })
})
