import { type Arrangement, transposed, unleaved } from './arrange.js'
import type { GgufMetadata, GgufValue } from './metadata.js'
import type { GgufTensor } from './tensor-infos.js'

type Refuse = (why: string) => never

/** A tensor's place in a checkpoint of the Hugging Face library. */
interface Placed {
  readonly name: string
  /** Where it differs from the one in the file. */
  readonly shape?: readonly number[]
  readonly arrange?: Arrangement
}

/** What a GGUF file of a known architecture is as a checkpoint of the Hugging Face library. */
export interface Architecture {
  readonly config: Readonly<Record<string, unknown>>
  /** The place of the tensor of that name and shape; nothing if the library has none for it. */
  place(name: string, shape: readonly number[]): Placed | undefined
}

/** How the names of a family's tensors and settings are told in the Hugging Face library. */
interface Family {
  /** Tensors that are not in a layer. */
  readonly outer: Readonly<Record<string, string>>
  /** What stands before a layer's number. */
  readonly layer: string
  readonly inner: Readonly<Record<string, string>>
  /** Settings, without the architecture that stands before them. */
  readonly settings: Readonly<Record<string, string>>
}

const LLAMA: Family = {
  outer: { token_embd: 'model.embed_tokens', output_norm: 'model.norm', output: 'lm_head' },
  layer: 'model.layers',
  inner: {
    attn_norm: 'input_layernorm',
    attn_q: 'self_attn.q_proj',
    attn_k: 'self_attn.k_proj',
    attn_v: 'self_attn.v_proj',
    attn_output: 'self_attn.o_proj',
    attn_q_norm: 'self_attn.q_norm',
    attn_k_norm: 'self_attn.k_norm',
    ffn_norm: 'post_attention_layernorm',
    ffn_gate: 'mlp.gate_proj',
    ffn_up: 'mlp.up_proj',
    ffn_down: 'mlp.down_proj',
  },
  settings: {
    context_length: 'max_position_embeddings',
    block_count: 'num_hidden_layers',
    feed_forward_length: 'intermediate_size',
    embedding_length: 'hidden_size',
    'attention.key_length': 'head_dim',
    'rope.freq_base': 'rope_theta',
    'attention.head_count': 'num_attention_heads',
    'attention.head_count_kv': 'num_key_value_heads',
    'attention.layer_norm_rms_epsilon': 'rms_norm_eps',
  },
}

const GPT2: Family = {
  outer: {
    token_embd: 'transformer.wte',
    position_embd: 'transformer.wpe',
    output_norm: 'transformer.ln_f',
    output: 'lm_head',
  },
  layer: 'transformer.h',
  inner: {
    attn_norm: 'ln_1',
    attn_qkv: 'attn.c_attn',
    attn_output: 'attn.c_proj',
    ffn_norm: 'ln_2',
    ffn_up: 'mlp.c_fc',
    ffn_down: 'mlp.c_proj',
  },
  settings: {
    context_length: 'n_positions',
    block_count: 'n_layer',
    feed_forward_length: 'n_inner',
    embedding_length: 'n_embd',
    'attention.head_count': 'n_head',
    'attention.layer_norm_epsilon': 'layer_norm_epsilon',
  },
}

const FAMILIES: Readonly<Record<string, Family>> = { llama: LLAMA, qwen2: LLAMA, qwen3: LLAMA, gpt2: GPT2 }

const TOKENS = { bos: 'bos_token_id', eos: 'eos_token_id', padding: 'pad_token_id' } as const

/** The entry of a record under a name that a file gave. */
const entry = (record: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined

/** `blk.3.attn_q.weight` as `model.layers.3.self_attn.q_proj.weight`. */
function rename(family: Family, name: string): string | undefined {
  const [, layer, part = '', kind] = /^(?:blk\.(\d{1,6})\.)?([a-z0-9_]+)\.(weight|bias)$/.exec(name) ?? []
  const theirs = entry(layer === undefined ? family.outer : family.inner, part)
  if (theirs === undefined) return undefined
  return layer === undefined ? `${theirs}.${kind}` : `${family.layer}.${layer}.${theirs}.${kind}`
}

/** The share of a head's numbers that turn, and how positions beyond those of training are reached. */
function rotary(read: (key: string) => GgufValue | undefined): Record<string, unknown> {
  const [type, factor] = [read('rope.scaling.type'), read('rope.scaling.factor')]
  if (type === undefined || type === 'none' || factor === undefined) return {}
  const original = read('rope.scaling.original_context_length')
  const before = original === undefined ? {} : { original_max_position_embeddings: original }
  return { rope_scaling: { rope_type: type, factor, ...before } }
}

function configOf(name: string, family: Family, metadata: GgufMetadata, tensors: ReadonlyMap<string, GgufTensor>) {
  const read = (key: string): GgufValue | undefined => metadata.get(`${name}.${key}`)
  const settings = Object.entries(family.settings).flatMap(([key, theirs]) => {
    const value = read(key)
    return value === undefined ? [] : [[theirs, value] as const]
  })
  const tokens = Object.entries(TOKENS).flatMap(([key, theirs]) => {
    const id = metadata.get(`tokenizer.ggml.${key}_token_id`)
    return typeof id === 'number' ? [[theirs, id] as const] : []
  })
  const headSize = name === 'llama' ? read('rope.dimension_count') : undefined
  const vocabulary = tensors.get('token_embd.weight')?.shape[0]
  return {
    model_type: name,
    ...(headSize === undefined ? {} : { head_dim: headSize }),
    ...Object.fromEntries(settings),
    ...(vocabulary === undefined ? {} : { vocab_size: vocabulary }),
    tie_word_embeddings: !tensors.has('output.weight'),
    ...rotary(read),
    ...Object.fromEntries(tokens),
  }
}

/** How the numbers of a llama's queries and keys are put in order. */
function unleave(part: string, rows: number, config: Record<string, unknown>, refuse: Refuse): Arrangement {
  const queries = config['num_attention_heads']
  const heads = part === 'q' ? queries : (config['num_key_value_heads'] ?? queries)
  const even = Number.isSafeInteger(heads) && (heads as number) > 0 && rows > 0 && rows % (2 * (heads as number)) === 0
  return even
    ? unleaved(heads as number)
    : refuse(`its attn_${part} has ${rows} rows, and its metadata give no heads that fit`)
}

/** What the file is as a checkpoint of the Hugging Face library, if its architecture is one of those that are known. */
export function architectureOf(
  metadata: GgufMetadata,
  tensors: ReadonlyMap<string, GgufTensor>,
  refuse: Refuse,
): Architecture | undefined {
  const name = metadata.get('general.architecture')
  if (typeof name !== 'string' || !Object.hasOwn(FAMILIES, name)) return undefined
  const family = FAMILIES[name]!
  const config = configOf(name, family, metadata, tensors)
  return {
    config,
    place(own, shape) {
      const theirs = rename(family, own)
      if (theirs === undefined) return undefined
      const [, part] = /^blk\.\d+\.attn_([qk])\./.exec(own) ?? []
      if (name === 'llama' && part !== undefined)
        return { name: theirs, arrange: unleave(part, shape[0] ?? 0, config, refuse) }
      if (family === GPT2 && shape.length === 2 && /\.(attn_qkv|attn_output|ffn_up|ffn_down)\.weight$/.test(own))
        return { name: theirs, shape: [...shape].reverse(), arrange: transposed }
      return { name: theirs }
    },
  }
}
