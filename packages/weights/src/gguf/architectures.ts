import { type Arrangement, deinterleaved, minusOne, transposed } from './arrange.js'
import type { Content } from './content.js'
import { FAMILIES, type Family } from './families.js'
import type { GgufValue } from './metadata.js'
import { ROTARY_TENSORS, rotarySettings } from './rotary-settings.js'

/** The counterpart of a tensor in a transformers checkpoint. */
interface TensorMapping {
  readonly name: string
  /** The shape, if it differs from that in the file. */
  readonly shape?: readonly number[]
  readonly arrange?: Arrangement
}

/** Mapping of a GGUF file of a known architecture to a transformers checkpoint. */
export interface Architecture {
  readonly config: Readonly<Record<string, unknown>>
  /** Maps the tensor of that name and shape; undefined if transformers has no such tensor. */
  mapTensor(name: string, shape: readonly number[]): TensorMapping | undefined
  /** Names of the tensors that are settings in `config` instead. */
  readonly settings: ReadonlySet<string>
}

const TOKENS = { bos: 'bos_token_id', eos: 'eos_token_id', padding: 'pad_token_id' } as const

/** Returns the entry of a record under an untrusted name. */
const entry = (record: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined

/** Maps `blk.3.attn_q.weight` to `model.layers.3.self_attn.q_proj.weight`. */
function rename(family: Family, name: string): string | undefined {
  const [, layer, part = '', kind] = /^(?:blk\.(\d{1,6})\.)?([a-z0-9_]+)\.(weight|bias)$/.exec(name) ?? []
  const target = entry(layer === undefined ? family.outer : family.inner, part)
  if (target === undefined) return undefined
  return layer === undefined ? `${target}.${kind}` : `${family.layer}.${layer}.${target}.${kind}`
}

/**
 * Returns `query_pre_attn_scalar` of Gemma 2 and 3, whose square root divides the attention scores. The files lack it; only the
 * largest model, identified by its number of layers, differs from the head size.
 */
function queryScale({ modelType }: Family, settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { num_hidden_layers: layers, hidden_size: width, num_attention_heads: heads, head_dim: headSize } = settings
  if (modelType !== 'gemma2' && modelType !== 'gemma3_text') return {}
  const largest = layers === (modelType === 'gemma2' ? 46 : 62)
  const scale = largest ? Number(width) / Number(heads) : headSize
  return scale === undefined ? {} : { query_pre_attn_scalar: scale }
}

function configOf(name: string, family: Family, content: Content): Record<string, unknown> {
  const { metadata, tensors } = content
  const read = (key: string): GgufValue | undefined => metadata.get(`${name}.${key}`)
  const known = Object.entries(family.settings).flatMap(([key, target]) => {
    const value = read(key)
    return value === undefined ? [] : [[target, value] as const]
  })
  const tokens = Object.entries(TOKENS).flatMap(([key, target]) => {
    const id = metadata.get(`tokenizer.ggml.${key}_token_id`)
    return typeof id === 'number' ? [[target, id] as const] : []
  })
  const headSize = name === 'llama' ? read('rope.dimension_count') : undefined
  const vocabulary = tensors.get('token_embd.weight')?.shape[0]
  const settings = { ...(headSize === undefined ? {} : { head_dim: headSize }), ...Object.fromEntries(known) }
  return {
    model_type: family.modelType,
    ...settings,
    ...(vocabulary === undefined ? {} : { vocab_size: vocabulary }),
    tie_word_embeddings: !tensors.has('output.weight'),
    ...queryScale(family, settings),
    ...(family.rotary ? rotarySettings(read, settings, content) : {}),
    ...Object.fromEntries(tokens),
  }
}

/** Returns the row permutation of the query or key projection of a Llama model. */
function deinterleave(
  part: string,
  rows: number,
  config: Record<string, unknown>,
  reject: Content['reject'],
): Arrangement {
  const queries = config['num_attention_heads']
  const heads = part === 'q' ? queries : (config['num_key_value_heads'] ?? queries)
  const even = Number.isSafeInteger(heads) && (heads as number) > 0 && rows > 0 && rows % (2 * (heads as number)) === 0
  return even
    ? deinterleaved(heads as number)
    : reject(`its attn_${part} has ${rows} rows, which the number of heads in its metadata does not divide`)
}

/**
 * Returns the mapping of a GGUF file to a transformers checkpoint; undefined for an unknown architecture.
 * @throws AttuneError `BAD_GGUF`, and `UNSUPPORTED_POSITIONS` for unsupported rotary position settings
 */
export function architectureOf(content: Content): Architecture | undefined {
  const name = content.metadata.get('general.architecture')
  if (typeof name !== 'string' || !Object.hasOwn(FAMILIES, name)) return undefined
  const family = FAMILIES[name]!
  const config = configOf(name, family, content)
  return {
    config,
    settings: new Set(family.rotary ? ROTARY_TENSORS : []),
    mapTensor(ggufName, shape) {
      const target = rename(family, ggufName)
      if (target === undefined) return undefined
      const [, part] = /^blk\.\d+\.attn_([qk])\./.exec(ggufName) ?? []
      if (family.interleaved === true && part !== undefined)
        return { name: target, arrange: deinterleave(part, shape[0] ?? 0, config, content.reject) }
      if (family.normsOverOne === true && ggufName.endsWith('_norm.weight')) return { name: target, arrange: minusOne }
      if (
        family.transposed === true &&
        shape.length === 2 &&
        /\.(attn_qkv|attn_output|ffn_up|ffn_down)\.weight$/.test(ggufName)
      )
        return { name: target, shape: [...shape].reverse(), arrange: transposed }
      return { name: target }
    },
  }
}
