import {
  type AnyPlugin,
  AttuneError,
  type DataPass,
  type Params,
  REGULARIZER,
  SOURCE,
  type Source,
  type Tree,
  definePlugin,
  mapParams,
  scheduled,
  use,
} from '@attune/core'
import { chosenParams, penalty, weightOptions } from '@attune/nn'
import {
  type Tensor,
  add,
  addN,
  clone,
  div,
  mul,
  scalar,
  square,
  sub,
  sum,
  zeros,
  zerosLike,
} from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { readInformation } from './read-information.js'

/** Diagonal of the empirical Fisher information, and the number of examples of which it is the mean. */
type Information = { readonly fisher: Params; readonly count: Tensor }

/** Mean of the squared gradients of the single examples' losses, by parameter. */
const informationOf = (pass: DataPass, examples: () => AsyncIterable<Record<string, unknown>>, limit?: number) =>
  pass.fold<Information & Record<string, Tree>>(
    (trainable) => ({ fisher: mapParams((weight) => zerosLike(weight), trainable), count: zeros([]) }),
    ({ fisher, count }, at) => {
      const next = add(count, 1)
      const moved = (mean: Tensor, g: Tensor): Tensor => add(mean, div(sub(square(g), mean), next))
      return { fisher: mapParams(moved, fisher, at.gradients()), count: next }
    },
    { batchSize: 1, examples, ...(limit === undefined ? {} : { limit }) },
  )

const eitherOr = (from: string | undefined): AttuneError =>
  new AttuneError(
    'BAD_OPTIONS',
    `regularizer ewc: expected one of \`data\` and \`from\`, got ${from === undefined ? 'none' : 'both'}`,
    'Set data: { use: jsonl, path: earlier.jsonl }, or from: the state.safetensors of a checkpoint of a run with ewc.',
  )

/**
 * Elastic weight consolidation (EWC): holds each weight to its initial value, more firmly the more an earlier task depends on it.
 *
 *     loss ← loss + strength / 2 · Σ F (w − w₀)²
 *     F = mean over the examples of the earlier task of (∂ loss of the example / ∂ w)²,   at w₀
 *
 * F is the diagonal of the empirical Fisher information, computed once, before the first step, without dropout. It squares the gradient of
 * each example: squaring the mean gradient of a batch, as in some implementations, yields another quantity, which vanishes at the
 * optimum of the earlier task. Labels are those of the data; the exact Fisher information samples them from the model (Kunstner et
 * al., 2019). The loss of an example is its mean over tokens for objectives with a loss per token. With `from`, F and w₀ are those in a
 * checkpoint of an earlier run of ewc, so that the examples are not needed again; parameters that it does not hold, such as those of a new
 * head, are free. Near neighbour: l2-sp, with F = 1.
 * @throws AttuneError `BAD_OPTIONS` unless one of `data` and `from` is given; `BAD_CHECKPOINT`, `FILE_NOT_FOUND` and `BAD_SAFETENSORS` for
 * the checkpoint
 */
export const ewc = definePlugin({
  kind: REGULARIZER,
  name: 'ewc',
  summary: 'Elastic weight consolidation: keeps the weights that an earlier task depends on',
  source: 'Kirkpatrick et al., Overcoming Catastrophic Forgetting in Neural Networks, 2017, equation 3',
  options: z.strictObject({
    data: use(SOURCE)
      .optional()
      .describe('Examples of the earlier task, with the same fields as the training data; or `from`'),
    from: z
      .string()
      .min(1)
      .optional()
      .meta({ path: true })
      .describe(
        'File `state.safetensors` of a checkpoint of a run with ewc, from which to take the Fisher information and weights',
      ),
    limit: z.int().min(1).optional().describe('Maximum number of these examples to use; default: all'),
    strength: scheduled(z.number().min(0).max(1e9).default(100)).describe('Factor on half the weighted distance'),
    only: weightOptions.only,
  }),
  create: ({ data, from, limit, strength, only }) => ({
    async prepare(pass, trainable) {
      if ((data === undefined) === (from === undefined)) throw eitherOr(from)
      if (from !== undefined) return readInformation(from, trainable)
      const source = (data!.plugin as AnyPlugin)(data!.options) as Source
      const { fisher, count } = await informationOf(pass, () => source.open(), limit)
      pass.release(count)
      return { start: mapParams((weight) => clone(weight), trainable), fisher }
    },
    wrap: (loss) => (call) =>
      penalty((trainable) => {
        const { start, fisher } = call.constants as { readonly start: Params; readonly fisher: Params }
        const held = (w: Tensor, w0: Tensor, f: Tensor): Tensor => sum(mul(f, square(sub(w, w0))))
        const terms = Object.values(mapParams(held, chosenParams(trainable, only), start, fisher))
        return terms.length === 0 ? scalar(0) : mul(mul(strength, 0.5), addN(terms))
      }).wrap(loss)(call),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'regularizer ewc': typeof ewc
  }
}

export default ewc
