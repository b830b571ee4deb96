import { ADAPTER, type Adapter, ENGINE, definePlugin } from '@attune/core'
import { markLargest, maskAlong, maskedTuning, masksOf, passLimits, passOptions, requirePass } from '@attune/nn'
import { z } from 'zod'
import { attentiveLayers } from './attentive-layers.js'
import { tokenScores } from './token-scores.js'

/**
 * Token rows: the word embeddings of the tokens that matter in the training data train, and the head. All other embeddings and the layers
 * keep their pretrained values bit for bit.
 *
 *     frequency: number of occurrences, padding excluded;   gradient: Σ ‖∂L/∂e‖²
 *
 * The sum is over batches, and the gradient is that of the mean loss of a batch, without dropout. Only rows with a positive score are chosen,
 * so fewer than `count` rows may train. Tied output embeddings are the same rows. With `layers`, the layers whose attention to the chosen tokens is
 * largest train too, in full. Throws AttuneError `NO_DATA_PASS`, and `UNKNOWN_TARGET` for `layers` with a model without an attention per layer.
 */
export const tokenRows = definePlugin({
  kind: ADAPTER,
  name: 'token-rows',
  summary: 'Trains the embedding rows of the tokens that matter, by frequency or gradient norm',
  source:
    'Artetxe, Ruder and Yogatama, On the Cross-lingual Transferability of Monolingual Representations, 2020 (training of embeddings on a frozen model); the choice of rows is described here',
  options: z.strictObject({
    by: z
      .enum(['frequency', 'gradient'])
      .default('frequency')
      .describe('Score of a token: its number of occurrences, or the sum of its squared gradient norms'),
    count: z.int().min(1).default(1000).describe('Maximum number of rows that train'),
    layers: z
      .int()
      .min(0)
      .max(10_000)
      .default(0)
      .describe('Layers that train too: those that attend most to the tokens'),
    ...passOptions,
  }),
  needs: { engine: ENGINE },
  create: ({ by, count, layers, ...limits }, { engine }): Adapter => ({
    async adapt(model, params, { pass, choice } = {}) {
      const words = model.wordEmbeddings
      let attentive: readonly string[] = []
      const masks = await masksOf(params, choice, async () => {
        const { shape } = params[words]!
        const given = requirePass('token-rows', pass)
        const scores = await tokenScores(given, model, by, shape[0]!, passLimits(limits))
        const marks = markLargest(scores, Math.min(1, count / scores.length), 'adapter token-rows: tokens')
        const isChosen = (token: number): boolean => marks[token] === 1 && scores[token]! > 0
        attentive = layers === 0 ? [] : await attentiveLayers(given, model, isChosen, layers, passLimits(limits))
        return { [words]: maskAlong(shape, 0, isChosen) }
      })
      return maskedTuning(model, params, {
        adapter: 'token-rows',
        engine,
        masks,
        mode: 'freeze',
        fromData: true,
        alsoTrains: (name) => attentive.some((prefix) => name.startsWith(prefix)),
      })
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter token-rows': typeof tokenRows
  }
}

export default tokenRows
