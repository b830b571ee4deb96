import { ADAPTER, type Adapter, type Params, definePlugin, fold, key } from '@attune/core'
import { filled, normal } from '@attune/nn'
import { add, matMul } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { describeAdapter } from './describe-adapter.js'

const isEmbedding = (name: string): boolean => name.includes('embeddings')
const isQuery = (name: string): boolean => name.endsWith('query.weight')
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

/** Adds to each query matrix a product of two thin ones, of which the second is zero at first. */
const thin = definePlugin({
  kind: ADAPTER,
  name: 'thin',
  summary: 'Products of thin matrices beside the queries train',
  options: z.strictObject({ rank: z.int().min(1).default(2).describe('Width of the thin matrices') }),
  create: ({ rank }): Adapter => ({
    adapt(model, params) {
      const merge = (trainable: Params, frozen: Params): Params =>
        Object.fromEntries(
          Object.entries(frozen).map(([name, p]) => [
            name,
            isQuery(name) ? add(p, matMul(trainable[`${name}.up`]!, trainable[`${name}.down`]!)) : p,
          ]),
        )
      const queries = Object.entries(select(params, isQuery))
      return {
        model: {
          ...model,
          forward: (all, inputs, mode) =>
            model.forward(
              merge(
                all,
                select(all, (name) => Object.hasOwn(params, name)),
              ),
              inputs,
              mode,
            ),
        },
        trainable: Object.fromEntries(
          queries.flatMap(([name, { shape }]) => [
            [`${name}.down`, normal(fold(key(1), name), [rank, shape[1]!], 0.1)],
            [`${name}.up`, filled([shape[0]!, rank], 0)],
          ]),
        ),
        frozen: params,
        merge,
      }
    },
  }),
})

describeAdapter(frozenEmbeddings)
describeAdapter(thin, { options: { rank: 3 } })
