import type { Cache, EncoderOutputs, LayerHook, Model, Params, TextInputs } from '@attune/core'
import { type Tensor, add, concat, fill, range, scalar, slice, zeros } from '@tensorflow/tfjs-core'
import { withHook } from '../layers/layer-hook.js'
import { type VirtualTokens, adapterMismatch } from './virtual-tokens.js'

/** Entry of a KV cache whose virtual tokens have not been read yet, `[batch, 1]`. */
export const UNREAD = 'virtual tokens'

/** Prepends `count` columns of `value` to an int32 tensor `[batch, length]`. */
const prepend = (x: Tensor, count: number, value: number): Tensor =>
  concat([fill([x.shape[0] as number, count], value, 'int32'), x], 1)

/** @throws AttuneError `ADAPTER_MISMATCH` for packed or permuted texts */
export function requirePlain(adapter: string, { segmentIds, permutationMask, targetMapping }: TextInputs): void {
  if (segmentIds === undefined && permutationMask === undefined && targetMapping === undefined) return
  const what = segmentIds === undefined ? 'permuted' : 'packed'
  throw adapterMismatch(
    adapter,
    `one text per row, in its order, got ${what} texts`,
    `Use an objective without ${what} texts, or another adapter, such as lora.`,
  )
}

/** Inputs after `count` virtual tokens that the KV cache already holds. */
export const afterTokens = (inputs: TextInputs, count: number): TextInputs => ({
  ...inputs,
  attentionMask: prepend(inputs.attentionMask, count, 1),
  ...(inputs.positionIds === undefined ? {} : { positionIds: add(inputs.positionIds, scalar(count, 'int32')) }),
  ...(inputs.cacheStart === undefined ? {} : { cacheStart: add(inputs.cacheStart, scalar(count, 'int32')) }),
})

/** A KV cache without the entry for unread virtual tokens. */
export const ownCache = (cache: Cache): Cache =>
  Object.fromEntries(Object.entries(cache).filter(([name]) => name !== UNREAD))

/** Inputs with placeholders for `count` virtual tokens before each text, which are not padding. */
function withPlaceholders(inputs: TextInputs, { config }: Model, count: number): TextInputs {
  const { inputIds, tokenTypeIds, positionIds, cache } = inputs
  const [batch] = inputIds.shape as [number]
  const first = (): Tensor => add(range(0, count, 1, 'int32'), zeros([batch, count], 'int32'))
  const { cacheStart, ...later } = afterTokens(inputs, count)
  return {
    ...later,
    inputIds: prepend(inputIds, count, config['pad_token_id'] === 0 ? 1 : 0),
    tokenTypeIds: prepend(tokenTypeIds, count, 0),
    ...(positionIds === undefined ? {} : { positionIds: concat([first(), later.positionIds!], 1) }),
    ...(cache === undefined ? {} : { cache: ownCache(cache), cacheStart: inputs.cacheStart! }),
  }
}

/** Values by index, each part. */
const each = (by: Readonly<Record<string, Tensor>> | undefined, part: (x: Tensor) => Tensor) =>
  by && Object.fromEntries(Object.entries(by).map(([index, x]) => [index, part(x)]))

/**
 * Outputs at the tokens of the text, computed when read. `pooled` is that of the whole sequence, as in peft: the vector of the first
 * virtual token in BERT, of the last token of the text in decoders. Attention weights are those between tokens of the text.
 */
function atText(outputs: EncoderOutputs, count: number, check: () => void): EncoderOutputs {
  const states = (x: Tensor): Tensor => slice(x, [0, count, 0], [-1, -1, -1])
  const between = (x: Tensor): Tensor => slice(x, [0, 0, count, count], [-1, -1, -1, -1])
  const { hiddenStates, attentions, cache } = outputs
  let last: Tensor | undefined
  const kept = {
    ...(hiddenStates === undefined ? {} : { hiddenStates: each(hiddenStates, states)! }),
    ...(attentions === undefined ? {} : { attentions: each(attentions, between)! }),
    ...(cache === undefined ? {} : { cache }),
  }
  return {
    get lastHiddenState() {
      last ??= states(outputs.lastHiddenState)
      check()
      return last
    },
    get pooled() {
      const { pooled } = outputs
      check()
      return pooled
    },
    ...kept,
  }
}

/** The word embeddings of the placeholders and the text, replaced by the vectors and the word embeddings of the text. */
function promptHook(
  params: Params,
  { inputIds }: TextInputs,
  placed: Tensor,
  tokens: VirtualTokens,
  found: () => void,
) {
  const hook: LayerHook = (site, ids, compute) => {
    if (site.kind !== 'embedding' || ids !== placed) return compute(ids)
    found()
    const [batch] = inputIds.shape as [number]
    const rows = add(tokens.vectors(params), zeros([batch, 1, 1])) // [batch, count, width]
    return concat([rows, compute(inputIds)], 1)
  }
  return hook
}

/**
 * A model with virtual tokens before the word embeddings of each text. Positions, the attention mask and the KV cache shift by their
 * number; outputs are those of the text.
 * @throws AttuneError `ADAPTER_MISMATCH` in a forward pass on packed or permuted texts, or if the model does not look up its inputs
 *   in word embeddings
 */
export function promptedModel(model: Model, tokens: VirtualTokens): Model {
  const { adapter, count } = tokens
  const { cache } = model
  const check = (found: boolean): void => {
    if (!found)
      throw adapterMismatch(
        adapter,
        'a model that looks up its inputs in word embeddings, got one that does not',
        'Use another adapter.',
      )
  }
  return {
    ...model,
    ...(cache === undefined
      ? {}
      : { cache: (batch, capacity) => ({ ...cache(batch, capacity + count), [UNREAD]: zeros([batch, 1]) }) }),
    forward(params, inputs, mode) {
      requirePlain(adapter, inputs)
      const isRead = inputs.cache !== undefined && inputs.cache[UNREAD] === undefined
      if (isRead) return model.forward(params, afterTokens(inputs, count), mode)
      const placed = withPlaceholders(inputs, model, count)
      let isFound = false
      const hook = promptHook(params, inputs, placed.inputIds, tokens, () => (isFound = true))
      return atText(model.forward(withHook(params, hook), placed, mode), count, () => check(isFound))
    },
  }
}
