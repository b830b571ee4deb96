/** True if a layer belongs to attention: a component of its name contains `attn` or `attention`. */
export const isAttention = (layer: string): boolean => /att(ention|n)/i.test(layer)

const KEYS_AND_VALUES = /(^|\.)((k|v)(_proj|_lin)?|key|value|c_attn|Wqkv)$/
const CROSS_ATTENTION = /encoder_attn|EncDecAttention|crossattention/
const ATTENTION_OUTPUTS = /(^|\.)(dense|c_proj|o_proj|out_proj|out_lin|Wo|o)$/
const FEEDFORWARD_OUTPUTS = /(^|\.)(output\.dense|ffn_output|c_proj|down_proj|lin2|fc2|wo|Wo|layer_2)$/

/**
 * The projections of attention that compute keys and values, by the names of the model families. A fused projection, as GPT-2's
 * `c_attn` and ModernBERT's `Wqkv`, computes the queries as well.
 * @param layers names of linear layers, without `.weight`
 */
export const keysAndValues = (layers: readonly string[]): string[] =>
  layers.filter((layer) => isAttention(layer) && KEYS_AND_VALUES.test(layer))

/**
 * The second linear layers of feed-forward blocks, `[intermediate]` → `[hidden]`, by the names of the model families.
 * @param layers names of linear layers, without `.weight`
 */
export const feedforwardOutputs = (layers: readonly string[]): string[] =>
  layers.filter((layer) => !isAttention(layer) && FEEDFORWARD_OUTPUTS.test(layer))

/**
 * The output projections of self-attention blocks, by the names of the model families. Those of cross-attention are excluded.
 * @param layers names of linear layers, without `.weight`
 */
export const attentionOutputs = (layers: readonly string[]): string[] =>
  layers.filter((layer) => isAttention(layer) && !CROSS_ATTENTION.test(layer) && ATTENTION_OUTPUTS.test(layer))
