"""GGUF files, and their content as read by the gguf package and transformers.

Needs numpy, torch, transformers 5.23 (with accelerate) and gguf 0.19. Writes into packages/weights/golden/gguf: `quantised.gguf` with
random blocks of every type that Attune reads, `quantised.json` with the values that gguf dequantizes them to (the bits of the float32
values, base64), and `llama.gguf`, `qwen2.gguf`, `qwen3.gguf`, `gpt2.gguf`, `gemma.gguf`, `gemma2.gguf`, `gemma3.gguf`, tiny models
written like the format's own converters do, each with a `.safetensors` and a `.json`: the weights and configuration of the model
that `from_pretrained` loads (for the first Gemma, which transformers does not load, those of the original model);
`llama-text.json`, the text that it generates with the tokenizer in the file; and `llama3.gguf` with `llama3.json`, a file with a
factor per RoPE frequency and the configuration's frequencies from which the factors are computed.
"""
import base64
import json
import tempfile
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, GemmaConfig, GemmaForCausalLM, LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

FOLDER = Path(__file__).resolve().parents[2] / "packages/weights/golden/gguf"
FOLDER.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(5)

# Offsets of the half-precision scales in a block: random bytes there would be infinities.
SCALES = {Type.Q2_K: (80, 82), Type.Q3_K: (108,), Type.Q4_K: (0, 2), Type.Q5_K: (0, 2), Type.Q6_K: (208,)}
PLAIN = {Type.F32: np.float32, Type.F16: np.float16, Type.F64: np.float64, Type.I8: np.int8, Type.I16: np.int16, Type.I32: np.int32}
QUANTISED = [Type.BF16, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0]


def bits(array):
    return base64.b64encode(np.ascontiguousarray(array, dtype="<f4").tobytes()).decode()


def blocks(kind, rows, per_row):
    size = gguf.GGML_QUANT_SIZES[kind][1]
    raw = random.integers(0, 256, (rows, per_row, size), dtype=np.uint8)
    for at in SCALES[kind]:
        halves = (random.standard_normal((rows, per_row)) * 2.0 ** random.integers(-8, 3, (rows, per_row))).astype("<f2")
        raw[..., at : at + 2] = halves[..., None].view(np.uint8)
    return raw.reshape(rows, per_row * size)


def quantised():
    writer = gguf.GGUFWriter(FOLDER / "quantised.gguf", "none")
    writer.add_custom_alignment(64)
    writer.add_uint8("a.uint8", 255)
    writer.add_int8("a.int8", -128)
    writer.add_uint16("a.uint16", 65535)
    writer.add_int16("a.int16", -32768)
    writer.add_uint32("a.uint32", 2**32 - 1)
    writer.add_int32("a.int32", -(2**31))
    writer.add_float32("a.float32", 0.5)
    writer.add_bool("a.bool", True)
    writer.add_string("a.string", "ünïcode ▁")
    writer.add_uint64("a.uint64", 2**64 - 1)
    writer.add_int64("a.int64", -(2**53) + 1)
    writer.add_float64("a.float64", 0.1)
    writer.add_array("a.strings", ["a", "", "ß"])
    writer.add_array("a.numbers", [1, -2, 3])
    writer.add_array("a.arrays", [[1, 2], [3]])
    expected = {}

    def add(name, raw, values, kind=None):
        writer.add_tensor(name, raw, raw_dtype=kind)
        expected[name] = {"shape": list(values.shape), "bits": bits(values)}

    for kind, dtype in PLAIN.items():
        values = (random.standard_normal((2, 3, 5)) * 50).astype(dtype)
        add(kind.name, values, values.astype(np.float32))
    for kind in QUANTISED:
        values = (random.standard_normal((3, 96)) * 2.0 ** random.integers(-6, 6, (3, 1))).astype(np.float32)
        raw = gguf.quantize(values, kind)
        add(kind.name, raw, gguf.dequantize(raw, kind), kind)
    for kind in SCALES:
        raw = blocks(kind, 2, 2)
        add(kind.name, raw, gguf.dequantize(raw, kind), kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    (FOLDER / "quantised.json").write_text(json.dumps({"source": "gguf 0.19.0", "tensors": expected}))


def interleaved(weights, heads):
    """The row order of query and key weights that the format's converters write, per head."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def tensor(*shape):
    return (random.standard_normal(shape) * 0.3).astype(np.float32)


def common(writer, layers, width, inner, heads, context=64):
    writer.add_context_length(context)
    writer.add_block_count(layers)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


def finish(writer, name, keys):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    model = AutoModelForCausalLM.from_pretrained(FOLDER, gguf_file=f"{name}.gguf", dtype=torch.float32)
    tied = model.config.tie_word_embeddings
    state = {k: v.clone().contiguous() for k, v in model.state_dict().items() if not (tied and k == "lm_head.weight")}
    save_file(state, FOLDER / f"{name}.safetensors")
    (FOLDER / f"{name}.safetensors").chmod(0o644)
    if name == "llama":
        tokenizer = AutoTokenizer.from_pretrained(FOLDER, gguf_file=f"{name}.gguf")
        prompt = tokenizer("the thing", return_tensors="pt")
        ids = model.generate(**prompt, do_sample=False, max_new_tokens=8)[0, prompt["input_ids"].shape[1] :]
        (FOLDER / "llama-text.json").write_text(json.dumps({"prompt": "the thing", "text": tokenizer.decode(ids, skip_special_tokens=True)}))
    config = model.config.to_dict()
    config["rope_theta"] = (config.get("rope_parameters") or {}).get("rope_theta")
    (FOLDER / f"{name}.json").write_text(json.dumps({k: config[k] for k in keys if config.get(k) is not None}, indent=1))


def pieces(writer):
    """A tokenizer with 48 tokens."""
    letters = "▁abcdefghijklmnopqrstuvwxyz0123456789"
    tokens = ["<unk>", "<s>", "</s>", *letters, "th", "he", "in", "er", "▁the", "▁a", "ing", "▁in"]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * 3 + [-100.0] * len(letters) + [-float(i) for i in range(8)])
    writer.add_token_types([2, 3, 3] + [1] * 45)
    writer.add_unk_token_id(0)


def llama(name, kv_heads, biases, tied):
    width, inner, heads, layers, words = 64, 96, 4, 1, 48
    writer = gguf.GGUFWriter(FOLDER / f"{name}.gguf", name)
    common(writer, layers, width, inner, heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(50000.0)
    writer.add_rope_dimension_count(width // heads)
    writer.add_vocab_size(words)
    if name == "llama":
        pieces(writer)
    head = width // heads

    def add(key, values, kind=None):
        raw = values if kind is None else gguf.quantize(values, kind)
        writer.add_tensor(key, raw, raw_dtype=kind)

    add("token_embd.weight", tensor(words, width), Type.Q8_0)
    order = interleaved if name == "llama" else lambda weights, heads: weights
    for i in range(layers):
        at = f"blk.{i}"
        add(f"{at}.attn_norm.weight", tensor(width))
        add(f"{at}.attn_q.weight", order(tensor(heads * head, width), heads), Type.Q4_0)
        add(f"{at}.attn_k.weight", order(tensor(kv_heads * head, width), kv_heads))
        add(f"{at}.attn_v.weight", tensor(kv_heads * head, width), Type.F16)
        if biases:
            add(f"{at}.attn_q.bias", tensor(heads * head))
            add(f"{at}.attn_k.bias", tensor(kv_heads * head))
            add(f"{at}.attn_v.bias", tensor(kv_heads * head))
        add(f"{at}.attn_output.weight", tensor(width, heads * head), Type.Q5_1)
        add(f"{at}.ffn_norm.weight", tensor(width))
        add(f"{at}.ffn_gate.weight", tensor(inner, width), Type.BF16)
        add(f"{at}.ffn_up.weight", tensor(inner, width), Type.Q4_1)
        add(f"{at}.ffn_down.weight", tensor(width, inner), Type.Q5_0)
    add("output_norm.weight", tensor(width))
    if not tied:
        add("output.weight", tensor(words, width), Type.Q8_0)
    keys = "model_type max_position_embeddings num_hidden_layers intermediate_size hidden_size num_attention_heads"
    keys += " num_key_value_heads rms_norm_eps vocab_size tie_word_embeddings rope_theta"
    finish(writer, name, keys.split() + (["head_dim"] if name == "llama" else []))


def gpt2():
    width, layers, heads, words = 32, 1, 4, 48
    writer = gguf.GGUFWriter(FOLDER / "gpt2.gguf", "gpt2")
    common(writer, layers, width, 4 * width, heads, 1024)
    writer.add_layer_norm_eps(1e-6)
    writer.add_token_list([f"w{i}" for i in range(words)])
    writer.add_tensor("token_embd.weight", tensor(words, width))
    # transformers assumes 1024 positions, regardless of the file.
    writer.add_tensor("position_embd.weight", tensor(1024, width))
    norms = lambda key: [writer.add_tensor(f"{key}.{kind}", tensor(width)) for kind in ("weight", "bias")]
    for i in range(layers):
        at = f"blk.{i}"
        norms(f"{at}.attn_norm")
        norms(f"{at}.ffn_norm")
        for part, (out, inputs) in {
            "attn_qkv": (3 * width, width),
            "attn_output": (width, width),
            "ffn_up": (4 * width, width),
            "ffn_down": (width, 4 * width),
        }.items():
            writer.add_tensor(f"{at}.{part}.weight", gguf.quantize(tensor(out, inputs), Type.Q8_0), raw_dtype=Type.Q8_0)
            writer.add_tensor(f"{at}.{part}.bias", tensor(out))
    norms("output_norm")
    keys = "model_type n_layer n_embd n_head layer_norm_epsilon vocab_size tie_word_embeddings"
    finish(writer, "gpt2", keys.split())


def norms(writer, at, width, *parts):
    for part in parts:
        writer.add_tensor(f"{at}.{part}.weight", 1 + tensor(width))


def decoder(name, width=32, inner=48, heads=2, kv_heads=1, head=16, layers=1, words=48, parts=(), more=None):
    """A decoder without interleaved queries and keys, with query and key norms if they are in `parts`."""
    writer = gguf.GGUFWriter(FOLDER / f"{name}.gguf", name)
    common(writer, layers, width, inner, heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_vocab_size(words)
    writer.add_token_list([f"w{i}" for i in range(words)])
    if more is not None:
        more(writer)
    add = lambda key, *shape: writer.add_tensor(f"{key}.weight", tensor(*shape))
    add("token_embd", words, width)
    for i in range(layers):
        at = f"blk.{i}"
        norms(writer, at, width, "attn_norm", "ffn_norm", *(part for part in parts if part.startswith("post")))
        norms(writer, at, head, *(part for part in parts if part.startswith("attn")))
        add(f"{at}.attn_q", heads * head, width)
        add(f"{at}.attn_k", kv_heads * head, width)
        add(f"{at}.attn_v", kv_heads * head, width)
        add(f"{at}.attn_output", width, heads * head)
        add(f"{at}.ffn_gate", inner, width)
        add(f"{at}.ffn_up", inner, width)
        add(f"{at}.ffn_down", width, inner)
    writer.add_tensor("output_norm.weight", 1 + tensor(width))
    return writer


DECODER = "model_type max_position_embeddings num_hidden_layers intermediate_size hidden_size num_attention_heads head_dim"
DECODER += " num_key_value_heads rms_norm_eps vocab_size tie_word_embeddings"


def qwen3():
    # transformers assumes a head size of 128, regardless of the file.
    head_norms = ("attn_q_norm", "attn_k_norm")
    writer = decoder("qwen3", head=128, parts=head_norms, more=lambda w: w.add_rope_freq_base(1e6))
    finish(writer, "qwen3", (DECODER + " rope_theta").split())


def gemma_names(name):
    """A model of the first Gemma, which transformers does not load; its tensor names differ from those of the second."""
    reader = gguf.GGUFReader(FOLDER / f"{name}.gguf")
    parts = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}
    parts |= {f"attn_{p}": f"self_attn.{p}_proj" for p in "qkv"} | {"attn_output": "self_attn.o_proj"}
    parts |= {f"ffn_{p}": f"mlp.{p}_proj" for p in ("gate", "up", "down")}
    outer = {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}
    for each in reader.tensors:
        *layer, part, _ = each.name.split(".")
        theirs = f"model.layers.{layer[1]}.{parts[part]}" if layer else outer[part]
        values = torch.tensor(np.array(each.data))
        yield f"{theirs}.weight", values - 1 if part.endswith("norm") else values


def gemmas():
    writer = decoder("gemma")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    state = dict(gemma_names("gemma"))
    config = GemmaConfig(
        vocab_size=48, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1,
        head_dim=16, max_position_embeddings=64, rms_norm_eps=1e-5,
    )  # fmt: skip
    lost = GemmaForCausalLM(config).load_state_dict(state, strict=False)
    assert lost.missing_keys == ["lm_head.weight"] and not lost.unexpected_keys, lost
    save_file(state, FOLDER / "gemma.safetensors")
    (FOLDER / "gemma.safetensors").chmod(0o644)
    (FOLDER / "gemma.json").write_text(json.dumps({k: getattr(config, k) for k in DECODER.split()}, indent=1))

    def caps(writer):
        writer.add_attn_logit_softcapping(40.0)
        writer.add_final_logit_softcapping(20.0)
        writer.add_sliding_window(24)

    sandwich = ("post_attention_norm", "post_ffw_norm")
    finish(decoder("gemma2", parts=sandwich, more=caps), "gemma2", (DECODER + " sliding_window").split())

    def scaled(writer):
        writer.add_rope_freq_base(1e6)
        writer.add_sliding_window(24)

    parts = (*sandwich, "attn_q_norm", "attn_k_norm")
    finish(decoder("gemma3", parts=parts, more=scaled), "gemma3", (DECODER + " sliding_window").split())


def llama3():
    """RoPE factors for the `rope_scaling` of Llama 3.1, computed as in llama.cpp's convert_hf_to_gguf.py."""
    scaling = dict(rope_type="llama3", rope_theta=5e5, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0)
    scaling["original_max_position_embeddings"] = 8192
    head, trained = 16, 8192
    factors = []
    for i in range(0, head, 2):
        frequency = 1.0 / scaling["rope_theta"] ** (i / head)
        length = 2 * np.pi / frequency
        if length < trained / 4:
            factors.append(1.0)
        elif length > trained:
            factors.append(8.0)
        else:
            smooth = (trained / length - 1) / 3
            factors.append(1 / ((1 - smooth) / 8.0 + smooth))
    writer = gguf.GGUFWriter(FOLDER / "llama3.gguf", "llama")
    common(writer, 1, 32, 48, 2, 131072)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(scaling["rope_theta"])
    writer.add_rope_dimension_count(head)
    writer.add_tensor("token_embd.weight", tensor(48, 32))
    writer.add_tensor("rope_freqs.weight", np.array(factors, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    config = LlamaConfig(
        hidden_size=32, num_attention_heads=2, max_position_embeddings=131072, rope_parameters=scaling
    )
    frequencies, _ = ROPE_INIT_FUNCTIONS["llama3"](config)
    expected = {"headSize": head, "frequencies": frequencies.tolist()}
    (FOLDER / "llama3.json").write_text(json.dumps(expected))


quantised()
llama("llama", 2, False, False)
llama("qwen2", 2, True, True)
gpt2()
qwen3()
gemmas()
llama3()
