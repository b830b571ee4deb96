import { ADAPTER, type Adapter, ENGINE, definePlugin } from '@attune/core'
import { type HostMasks, markLargest, maskedTuning, masksOf, passLimits, passOptions, requirePass } from '@attune/nn'
import { z } from 'zod'
import { attentionBlocks, spanMasks, spansOf } from './attention-blocks.js'
import { headScores } from './head-scores.js'

/** The scores, in errors. */
const OF = 'adapter attention-statistics: heads'

const total = (scores: readonly number[]): number => scores.reduce((sum, score) => sum + score, 0)

/** The chosen heads of each block: `[blocks][heads]`, 1 for chosen ones. */
function choose(
  scores: readonly (readonly number[])[],
  { by, unit, fraction }: { readonly by: string; readonly unit: string; readonly fraction: number },
): readonly (readonly number[])[] {
  const sign = by === 'low-entropy' ? -1 : 1
  const normalized = scores.map((own) => {
    const norm = by === 'importance' && unit === 'head' ? Math.hypot(...own) + 1e-20 : 1
    return own.map((score) => (sign * score) / norm)
  })
  if (unit === 'layer') {
    const marks = markLargest(
      normalized.map((own) => total(own) / own.length),
      fraction,
      OF,
    )
    return scores.map((own, i) => own.map(() => marks[i]!))
  }
  const marks = [...markLargest(normalized.flat(), fraction, OF)]
  return scores.map((own) => marks.splice(0, own.length))
}

/**
 * Attention statistics: the attention heads that matter train, chosen by a pass over the training data. Of a chosen head train the rows of
 * the query, key and value projections with their biases, and the columns of the output projection; the rest of the model keeps its pretrained
 * values bit for bit. The task head trains in full.
 *
 *     importance: I_h = Σ |∂L/∂ξ_h|,   entropy: H_h = mean of −Σ_k a_k · ln a_k
 *
 * `ξ_h` is a factor of the head's output, 1 in the model, and the sum is over batches: with `batchSize: 1` over examples, as in the paper. As
 * there, importances are divided by the L2 norm of those of their layer before heads of different layers are compared. `a_k` are the
 * attention weights of a query, and the mean is over queries that are not padding; a head of low entropy attends to few tokens. With
 * `unit: layer`, all heads of the layers with the largest mean score train. Dropout is off in the pass. Throws AttuneError `NO_DATA_PASS`, and
 * `UNKNOWN_TARGET` for a model without query, key and value projections by head, such as XLNet.
 */
export const attentionStatistics = definePlugin({
  kind: ADAPTER,
  name: 'attention-statistics',
  summary: 'Trains the attention heads that matter, by gradient-based importance or attention entropy',
  source:
    'Michel, Levy and Neubig, Are Sixteen Heads Really Better than One?, 2019, section 4.1 (importance); Clark et al., What Does BERT Look At?, 2019, section 3.3 (entropy)',
  options: z.strictObject({
    by: z
      .enum(['importance', 'low-entropy', 'high-entropy'])
      .default('importance')
      .describe(
        'Heads that train: those whose output the loss depends on most, or those of the lowest or highest entropy',
      ),
    unit: z.enum(['head', 'layer']).default('head').describe('Choose single heads, or all heads of a layer'),
    fraction: z.number().positive().max(1).default(0.25).describe('Fraction of the heads or layers that train'),
    ...passOptions,
  }),
  needs: { engine: ENGINE },
  create: ({ by, unit, fraction, ...limits }, { engine }): Adapter => ({
    async adapt(model, params, { pass, choice } = {}) {
      const masks = await masksOf(params, choice, async () => {
        const given = requirePass('attention-statistics', pass)
        const { inputFirst = false } = model
        const blocks = attentionBlocks(model, params)
        const statistic = by === 'importance' ? by : 'entropy'
        const scores = await headScores(given, model, blocks, statistic, passLimits(limits))
        const chosen = choose(scores, { by, unit, fraction })
        const outputsOf = (layer: string): number => params[`${layer}.weight`]!.shape[inputFirst ? 1 : 0]!
        const parts = blocks.map((block, i) => {
          const spans = chosen[i]!.flatMap((mark, head) =>
            mark === 1 ? spansOf(block, outputsOf, head, chosen[i]!.length) : [],
          )
          return spanMasks(params, spans, inputFirst)
        })
        return Object.assign({}, ...parts) as HostMasks
      })
      return maskedTuning(model, params, {
        adapter: 'attention-statistics',
        engine,
        masks,
        mode: 'freeze',
        fromData: true,
      })
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter attention-statistics': typeof attentionStatistics
  }
}

export default attentionStatistics
