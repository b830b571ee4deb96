import { ADAPTER, type Adapter, type Params, definePlugin } from '@attune/core'
import { z } from 'zod'
import { lowRank } from './broken/adapter.test.fixture.js'
import { describeAdapter } from './describe-adapter.js'

const isEmbedding = (name: string): boolean => name.includes('embeddings')
const select = (params: Params, wanted: (name: string) => boolean): Params =>
  Object.fromEntries(Object.entries(params).filter(([name]) => wanted(name)))

/** Freezes the embeddings. */
const frozenEmbeddings = definePlugin({
  kind: ADAPTER,
  name: 'frozen-embeddings',
  summary: 'Trains all parameters except the embeddings',
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
describeAdapter(lowRank, { options: { rank: 3 } })
