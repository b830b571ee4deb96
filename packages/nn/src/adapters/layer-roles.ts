/** True if a layer belongs to attention: a component of its name contains `attn` or `attention`. */
export const isAttention = (layer: string): boolean => /att(ention|n)/i.test(layer)

const KEYS_AND_VALUES = /(^|\.)((k|v)(_proj|_lin)?|key|value|c_attn|Wqkv)$/
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
