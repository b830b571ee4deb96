import {
  AttuneError,
  type Engine,
  type HostArray,
  type Model,
  type Params,
  type TextInputs,
  type Tokenizer,
} from '@attune/core'
import { padTo, paddedLength, textArrays } from '@attune/data'
import { crossEntropy, headFor, hiddenStatesAt, maskedLogits } from '@attune/nn'
import { type Tensor, neg, reshape } from '@tensorflow/tfjs-core'

/** A masked language model with its parameters and tokenizer. */
export interface MaskedLanguageModel {
  readonly model: Model
  readonly params: Params
  readonly tokenizer: Tokenizer
}

/** Pseudo-log-likelihood of a text, in nats, and the log-probability of each of its tokens given all others. */
export interface PseudoLogLikelihood {
  readonly logLikelihood: number
  readonly tokens: readonly { readonly token: string; readonly logProbability: number }[]
  /** True if the text was truncated to the maximum length of the model. */
  readonly truncated: boolean
}

/** A text with one token masked. */
interface MaskedRow {
  readonly text: number
  readonly ids: readonly number[]
  readonly typeIds: readonly number[]
  readonly position: number
  readonly target: number
}

/** Padding of rows, so that few distinct shapes are compiled. */
const MULTIPLE = 8

type Batch = { readonly inputs: TextInputs; readonly positions: Tensor; readonly targets: Tensor }

function maskOf({ special }: Tokenizer): number {
  if (special.mask !== undefined) return special.mask
  throw new AttuneError(
    'NO_MASK_TOKEN',
    'pseudo-log-likelihood: expected a tokenizer with a mask token',
    'Use a masked language model, such as BERT. For a decoder, the log-likelihood is its validation loss.',
  )
}

/** The rows of a text: one for each of its tokens, without those that the tokenizer adds. */
function rowsOf({ model, tokenizer }: MaskedLanguageModel, text: string, index: number, mask: number) {
  const { ids, typeIds, truncated, specialMask } = tokenizer.encode(text, {
    maximumLength: model.maximumLength,
    offsets: true,
  })
  const positions = [...ids.keys()].filter((position) => specialMask![position] !== 1)
  const rows = positions.map((position): MaskedRow => ({
    text: index,
    ids: ids.map((id, at) => (at === position ? mask : id)),
    typeIds,
    position,
    target: ids[position]!,
  }))
  return { rows, truncated }
}

/** A batch on the host. */
function collate(rows: readonly MaskedRow[], { model, tokenizer }: MaskedLanguageModel) {
  const length = paddedLength(Math.max(...rows.map(({ ids }) => ids.length)), MULTIPLE, model.maximumLength)
  const column = (values: readonly number[]): HostArray =>
    padTo(
      values.map((value) => [value]),
      1,
      0,
    )
  const [ids, types] = [rows.map((row) => row.ids), rows.map((row) => row.typeIds)]
  return {
    inputs: textArrays(ids, length, tokenizer.special.pad ?? 0, types),
    positions: column(rows.map(({ position }) => position)),
    targets: column(rows.map(({ target }) => target)),
  }
}

/**
 * Pseudo-log-likelihoods of texts: the sum of the log-probabilities of their tokens, each of which is masked in turn and predicted from all
 * others. It ranks texts by how acceptable they are; sums of texts of different lengths are compared by the mean per token, and
 * `exp(−mean)` is the pseudo-perplexity. A text of n tokens takes n forward passes. Special tokens have no score.
 * @param batchSize number of masked copies in a forward pass
 * @throws AttuneError `NO_MASK_TOKEN`, or `NO_SUCH_HEAD` for a model without the head of masked language modeling
 *
 * Source: Salazar et al., Masked Language Model Scoring, 2020, section 2.
 */
export async function pseudoLogLikelihoods(
  engine: Engine,
  masked: MaskedLanguageModel,
  texts: readonly string[],
  { batchSize = 32 }: { readonly batchSize?: number } = {},
): Promise<readonly PseudoLogLikelihood[]> {
  const { model, params, tokenizer } = masked
  const [head, mask] = [headFor(model, 'masked-language-modeling'), maskOf(tokenizer)]
  const score = engine.compile((all: Params, { inputs, positions, targets }: Batch) => {
    const { lastHiddenState } = model.forward(all, inputs, { training: false })
    const logits = maskedLogits(model, head, all, hiddenStatesAt(lastHiddenState, positions))
    return neg(crossEntropy(logits, reshape(targets, [-1])))
  })
  const read = texts.map((text, index) => rowsOf(masked, text, index, mask))
  const rows = read.flatMap((each) => each.rows)
  const scores: number[] = []
  for (let at = 0; at < rows.length; at += batchSize) {
    const batch = engine.put(collate(rows.slice(at, at + batchSize), masked)) as unknown as Batch
    const found = score(params, batch)
    scores.push(...(await engine.read(found)).values.map(Number))
    engine.release({ found, batch } as never)
  }
  score.dispose()
  let next = 0
  return read.map(({ rows: own, truncated }) => {
    const tokens = own.map(({ target }) => ({
      token: tokenizer.token(target) ?? '',
      logProbability: scores[next++]!,
    }))
    return { logLikelihood: tokens.reduce((sum, each) => sum + each.logProbability, 0), tokens, truncated }
  })
}
