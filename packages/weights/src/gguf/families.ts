/** Mapping of the tensor and setting names of a model family from GGUF to transformers. */
export interface Family {
  /** Tensors outside the layers. */
  readonly outer: Readonly<Record<string, string>>
  /** Name prefix before the layer index. */
  readonly layer: string
  /** Tensors of a layer. */
  readonly inner: Readonly<Record<string, string>>
  /** Settings, without the architecture prefix. */
  readonly settings: Readonly<Record<string, string>>
  /** The `model_type` in `config.json`. */
  readonly modelType: string
  /** True for rotary position embeddings. */
  readonly rotary: boolean
  /** True if the rows of the query and key projections are interleaved; see `deinterleaved`. */
  readonly interleaved?: boolean
  /** True if matrices are transposed. */
  readonly transposed?: boolean
  /** True if norms hold factors where transformers has offsets from 1. */
  readonly normsOverOne?: boolean
}

const LLAMA: Family = {
  modelType: 'llama',
  rotary: true,
  interleaved: true,
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
  modelType: 'gpt2',
  rotary: false,
  transposed: true,
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

const GEMMA: Family = {
  ...LLAMA,
  modelType: 'gemma',
  interleaved: false,
  normsOverOne: true,
}

const GEMMA2: Family = {
  ...GEMMA,
  modelType: 'gemma2',
  inner: {
    ...GEMMA.inner,
    post_attention_norm: 'post_attention_layernorm',
    ffn_norm: 'pre_feedforward_layernorm',
    post_ffw_norm: 'post_feedforward_layernorm',
  },
  settings: {
    ...GEMMA.settings,
    'attention.sliding_window': 'sliding_window',
    attn_logit_softcapping: 'attn_logit_softcapping',
    final_logit_softcapping: 'final_logit_softcapping',
  },
}

const GEMMA3: Family = {
  ...GEMMA2,
  modelType: 'gemma3_text',
  settings: {
    ...GEMMA2.settings,
    'attention.sliding_window_pattern': 'sliding_window_pattern',
    'rope.freq_base_swa': 'rope_local_base_freq',
  },
}

/** Model families by GGUF architecture name. */
export const FAMILIES: Readonly<Record<string, Family>> = {
  llama: LLAMA,
  qwen2: { ...LLAMA, modelType: 'qwen2', interleaved: false },
  qwen3: { ...LLAMA, modelType: 'qwen3', interleaved: false },
  gpt2: GPT2,
  gemma: GEMMA,
  gemma2: GEMMA2,
  gemma3: GEMMA3,
}
