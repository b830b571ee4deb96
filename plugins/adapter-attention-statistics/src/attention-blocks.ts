import { AttuneError, type EncoderOutputs, type HostArray, type Model, type Params } from '@attune/core'
import { type HostMasks, linearLayers, maskAlong } from '@attune/nn'
import type { Tensor } from '@tensorflow/tfjs-core'

/** Names of the linear layers of an attention block, without `.weight`. */
export interface AttentionBlock {
  readonly name: string
  /** Query, key and value projections; one layer with all three, one after the other, is `joined`. */
  readonly query?: string
  readonly key?: string
  readonly value?: string
  readonly joined?: string
  /** Output projection. Absent in models that add the heads' outputs to the states. */
  readonly output?: string
}

/** Parts of an attention block, and the ends of their layers' names in the model families. */
const PARTS = {
  query: /\.(?:self\.query|query|q_proj|q_lin|q)$/,
  key: /\.(?:self\.key|key|k_proj|k_lin|k)$/,
  value: /\.(?:self\.value|value|v_proj|v_lin|v)$/,
  joined: /\.(?:c_attn|Wqkv)$/,
  output: /\.(?:output\.dense|dense|out_proj|o_proj|out_lin|c_proj|Wo|o)$/,
} as const
const PART_NAMES = Object.keys(PARTS) as (keyof typeof PARTS)[]

const noHeads = (found: string): AttuneError =>
  new AttuneError(
    'UNKNOWN_TARGET',
    `adapter attention-statistics: expected a model with query, key and value projections by head, got ${found}`,
    'Use another adapter: `npx attune plugins list --kind adapter` lists them.',
  )

/**
 * The attention blocks of a model with projections by head, in the order of its parameters.
 * @throws AttuneError `UNKNOWN_TARGET` if there are none
 */
export function attentionBlocks(model: Model, params: Params): readonly AttentionBlock[] {
  const blocks = new Map<string, AttentionBlock>()
  for (const layer of linearLayers(model, params))
    for (const part of PART_NAMES) {
      const name = layer.replace(PARTS[part], '')
      if (name !== layer) blocks.set(name, { ...blocks.get(name), name, [part]: layer })
    }
  const found = [...blocks.values()].filter(({ query, key, value, joined }) => joined ?? (query && key && value))
  if (found.length > 0) return found
  throw noHeads('none')
}

/** Attention weights of a block, `[batch, heads, queries, keys]`: several if layers share its weights, as in ALBERT. */
export interface BlockAttentions {
  readonly weights: readonly Tensor[]
  /** True if the queries are tokens of the decoder of an encoder–decoder. */
  readonly isDecoder: boolean
}

/**
 * Attention weights of each block.
 * @throws AttuneError `UNKNOWN_TARGET` if the model does not return those of a block
 */
export function attentionsOf(
  blocks: readonly AttentionBlock[],
  { attentions = {}, encoderAttentions, crossAttentions }: EncoderOutputs,
): readonly BlockAttentions[] {
  const stackOf = ({ name }: AttentionBlock): Readonly<Record<string, Tensor>> => {
    if (crossAttentions === undefined || encoderAttentions === undefined) return attentions
    if (/encoder_attn|EncDecAttention/.test(name)) return crossAttentions
    return /(^|\.)decoder\./.test(name) ? attentions : encoderAttentions
  }
  return blocks.map((block) => {
    const stack = stackOf(block)
    const all = Object.values(stack)
    const alike = blocks.filter((other) => stackOf(other) === stack)
    const weights = all.filter((_, i) => alike[Math.floor((i * alike.length) / all.length)] === block)
    if (weights.length === 0) throw noHeads(`no attention weights of ${block.name}`)
    return { weights, isDecoder: crossAttentions !== undefined && stack !== encoderAttentions }
  })
}

/** Outputs `[start, end)` of a projection that belong to a head, or inputs of an output projection. */
interface Span {
  readonly layer: string
  readonly rows: readonly [start: number, end: number]
  readonly isOutput: boolean
}

/** Size of the dimension of a layer's outputs. */
type OutputsOf = (layer: string) => number

/**
 * The rows of the query, key and value projections, and the columns of the output projection, of a head. Heads of grouped-query attention share
 * rows of key and value.
 */
export function spansOf(block: AttentionBlock, outputsOf: OutputsOf, head: number, heads: number): readonly Span[] {
  const { query, key, value, joined, output } = block
  const size = (joined === undefined ? outputsOf(query!) : outputsOf(joined) / 3) / heads
  const span = (layer: string, at: number, isOutput = false): Span => ({ layer, rows: [at, at + size], isOutput })
  const shared = (layer: string): number => Math.floor((head * outputsOf(layer)) / (size * heads)) * size
  return [
    ...(joined === undefined
      ? [span(query!, head * size), span(key!, shared(key!)), span(value!, shared(value!))]
      : [0, 1, 2].map((part) => span(joined, (part * heads + head) * size))),
    ...(output === undefined ? [] : [span(output, head * size, true)]),
  ]
}

const within = (rows: Span['rows'], index: number): boolean => index >= rows[0] && index < rows[1]

/** Masks of weights and biases: 1 in the given spans. Biases of output projections, which the heads share, are excluded. */
export function spanMasks(params: Params, spans: readonly Span[], inputFirst: boolean): HostMasks {
  const masks: Record<string, HostArray> = {}
  for (const layer of new Set(spans.map((span) => span.layer))) {
    const own = spans.filter((span) => span.layer === layer)
    const isChosen = (index: number): boolean => own.some(({ rows }) => within(rows, index))
    const { isOutput } = own[0]!
    const [weight, bias] = [`${layer}.weight`, `${layer}.bias`]
    masks[weight] = maskAlong(params[weight]!.shape, isOutput === inputFirst ? 0 : 1, isChosen)
    if (!isOutput && params[bias] !== undefined) masks[bias] = maskAlong(params[bias].shape, 0, isChosen)
  }
  return masks
}
