import { ADAPTER, type Adapter, type Params, definePlugin } from '@attune/core'
import { z } from 'zod'
import { thin } from './broken/adapter.test.fixture.js'
import { describeAdapter } from './describe-adapter.js'

const isEmbedding = (name: string): boolean => name.includes('embeddings')
const select = (params: Params, wanted: (name: string) => boolean): Params =>
  Object.fromEntries(Object.entries(params).filter(([name]) => wanted(name)))

/** Freezes the embeddings. */
const frozenEmbeddings = definePlugin({
  kind: ADAPTER,
  name: 'frozen-embeddings',
  summary: 'All but the embeddings train',
  options: z.strictObject({}),
  create: (): Adapter => ({
    adapt: (model, params) => ({
      model,
      trainable: select(params, (name) => !isEmbedding(name)),
      frozen: select(params, isEmbedding),
      merge: (trainable, frozen) => ({ ...frozen, ...trainable }),
    }),
  }),
})

describeAdapter(frozenEmbeddings)
describeAdapter(thin, { options: { rank: 3 } })
