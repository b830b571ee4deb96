"""Golden values of tiny random decoders, computed with transformers: see model_parity.py. Run it from any directory."""
from model_parity import CausalModelling, Classification, LABELS, write_case
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma2ForSequenceClassification,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    Gemma3TextForSequenceClassification,
    GemmaConfig,
    GemmaForCausalLM,
    GPT2Config,
    GPT2ForSequenceClassification,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

LABELLED = {"id2label": dict(enumerate(LABELS)), "label2id": {label: i for i, label in enumerate(LABELS)}}
TINY = dict(
    vocab_size=61,
    hidden_size=16,
    intermediate_size=24,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=32,
    pad_token_id=0,
)
GPT2 = dict(
    vocab_size=61, n_positions=32, n_embd=16, n_layer=2, n_head=4, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    bos_token_id=1, eos_token_id=2, pad_token_id=0,
)  # fmt: skip
LLAMA3 = dict(
    rope_type="llama3", rope_theta=1000.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
    original_max_position_embeddings=16,
)  # fmt: skip

write_case("gpt2", "lm", GPT2LMHeadModel, GPT2Config(**GPT2), CausalModelling)
write_case("gpt2", "classification", GPT2ForSequenceClassification, GPT2Config(**GPT2, **LABELLED), Classification)
untied = GPT2Config(**GPT2, tie_word_embeddings=False, scale_attn_by_inverse_layer_idx=True, n_inner=40)
write_case("gpt2", "untied", GPT2LMHeadModel, untied, CausalModelling)

write_case("llama", "llama", LlamaForCausalLM, LlamaConfig(**TINY), CausalModelling)
scaled = LlamaConfig(**TINY, tie_word_embeddings=True, rope_parameters=LLAMA3, attention_bias=True, mlp_bias=True)
write_case("llama", "llama3", LlamaForCausalLM, scaled, CausalModelling)
linear = LlamaConfig(**TINY, head_dim=6, rope_parameters=dict(rope_type="linear", factor=2.0, rope_theta=500.0), **LABELLED)
write_case("llama", "classification", LlamaForSequenceClassification, linear, Classification)
YARN = dict(rope_type="yarn", rope_theta=1000.0, factor=4.0, original_max_position_embeddings=8, beta_fast=4.0)
write_case("llama", "yarn", LlamaForCausalLM, LlamaConfig(**TINY, rope_parameters=YARN), CausalModelling)
LONG = dict(
    rope_type="longrope", rope_theta=1000.0, original_max_position_embeddings=9,
    short_factor=[1.0, 1.5], long_factor=[1.0, 5.0],
)  # fmt: skip
# The first batch is longer than the original context length, the second is not.
write_case("llama", "longrope", LlamaForCausalLM, LlamaConfig(**TINY, rope_parameters=LONG), CausalModelling)
short = dict(TINY, max_position_embeddings=9)
DYNAMIC = dict(rope_type="dynamic", rope_theta=1000.0, factor=4.0)
# transformers scales by the longest row including padding, Attune scales each text by its own length: here they agree.
ALIKE = dict(lengths=((12, 12, 12), (8, 8)), padding=0)
write_case("llama", "dynamic", LlamaForCausalLM, LlamaConfig(**short, rope_parameters=DYNAMIC), CausalModelling, **ALIKE)
# Padding is shorter than the window: transformers returns NaN where a window contains only padding.
NEAR = ((9, 8), (8, 7))
write_case("llama", "mistral", MistralForCausalLM, MistralConfig(**TINY, sliding_window=3), CausalModelling, NEAR)
sliding = dict(use_sliding_window=True, sliding_window=3, max_window_layers=1)
write_case("llama", "qwen2", Qwen2ForCausalLM, Qwen2Config(**TINY, **sliding), CausalModelling, NEAR)
write_case("llama", "qwen3", Qwen3ForCausalLM, Qwen3Config(**TINY, head_dim=6, tie_word_embeddings=True), CausalModelling)

gemma = dict(TINY, head_dim=6)
write_case("gemma", "gemma", GemmaForCausalLM, GemmaConfig(**gemma), CausalModelling)
gemma2 = dict(gemma, sliding_window=3, query_pre_attn_scalar=5)
caps = dict(attn_logit_softcapping=2.0, final_logit_softcapping=3.0)
write_case("gemma", "gemma2", Gemma2ForCausalLM, Gemma2Config(**gemma2, **caps), CausalModelling, NEAR)
uncapped = Gemma2Config(**gemma2, attn_logit_softcapping=None, attention_bias=True, **LABELLED)
write_case("gemma", "classification", Gemma2ForSequenceClassification, uncapped, Classification, NEAR)
# A hidden size without an integer square root, and one layer of each type.
gemma3 = dict(gemma2, hidden_size=12, num_hidden_layers=3, sliding_window_pattern=3, max_position_embeddings=64)
bases = dict(
    sliding_attention=dict(rope_type="default", rope_theta=100.0),
    full_attention=dict(rope_type="linear", factor=4.0, rope_theta=1000.0),
)  # fmt: skip
write_case("gemma", "gemma3", Gemma3ForCausalLM, Gemma3TextConfig(**gemma3, rope_parameters=bases), CausalModelling, NEAR)
seeing = Gemma3TextConfig(**dict(gemma3, sliding_window=4), use_bidirectional_attention=True, **LABELLED)
write_case("gemma", "both-ways", Gemma3TextForSequenceClassification, seeing, Classification, NEAR)
