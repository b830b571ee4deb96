"""GGUF files and what the gguf package and the Hugging Face library make of them.

Needs numpy, torch, transformers 5.23 (with accelerate) and gguf 0.19. Writes into packages/nn/golden/gguf: `quantised.gguf` with random
blocks of every type that Attune reads, `quantised.json` with what gguf dequantises them to (the bits of the float32
numbers, base64), and `llama.gguf`, `qwen2.gguf`, `gpt2.gguf`, tiny models written as the format's own programs write
them, each with a `.safetensors` and a `.json` beside it: the weights and settings of the model that `from_pretrained` makes of it; and
`llama-text.json`, what that writes by the tokenizer in the file.
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
from transformers import AutoModelForCausalLM, AutoTokenizer

FOLDER = Path(__file__).resolve().parents[2] / "packages/nn/golden/gguf"
FOLDER.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(5)

# Where the half-precision scales stand in a block: random bytes there would make infinities.
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
    """The order of a head's rows that the format's programs keep queries and keys in."""
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
    """A tokenizer of 48 pieces."""
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
    # transformers takes the number of positions to be 1024, whatever the file says.
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


quantised()
llama("llama", 2, False, False)
llama("qwen2", 2, True, True)
gpt2()
