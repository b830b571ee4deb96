"""Checkpoints whose language-modeling head and configuration disagree, and what transformers generates from them.

Run from the root: python tools/golden/stored_heads.py
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

OUT = Path("packages/cli/golden/stored-heads")
PROMPT = [0, 5, 6, 7]


def llama(tied):
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=32, hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
            num_key_value_heads=2, max_position_embeddings=64, tie_word_embeddings=tied, initializer_range=0.5,
        )
    )


def models():
    yield "gpt2", GPT2LMHeadModel(
        GPT2Config(vocab_size=32, n_embd=8, n_layer=1, n_head=2, n_positions=64, initializer_range=0.5)
    ), "differs"
    yield "llama", llama(True), "differs"
    yield "llama-copy", llama(True), "copy"
    yield "llama-only-head", llama(True), "only"
    yield "llama-no-head", llama(False), "none"
    yield "t5", T5ForConditionalGeneration(
        T5Config(vocab_size=32, d_model=8, d_kv=4, d_ff=16, num_layers=1, num_heads=2)
    ), "differs"
    yield "bart", BartForConditionalGeneration(
        BartConfig(
            vocab_size=32, d_model=8, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=16, decoder_ffn_dim=16,
            encoder_attention_heads=2, decoder_attention_heads=2, max_position_embeddings=64, init_std=0.5,
        )
    ), "differs"


def change(tensors, kind, words):
    if kind == "differs":
        tensors["lm_head.weight"] = torch.randn(tensors[words].shape)
    if kind == "copy":
        tensors["lm_head.weight"] = tensors[words].clone()
    if kind == "only":
        tensors["lm_head.weight"] = tensors.pop(words)
    if kind == "none":
        del tensors["lm_head.weight"]


def last_logits(model, encoder_decoder):
    given = torch.tensor([PROMPT])
    extra = {"decoder_input_ids": given} if encoder_decoder else {}
    with torch.no_grad():
        return [round(x, 6) for x in model(given, **extra).logits[0, -1].tolist()]


expected = {}
torch.manual_seed(0)
for name, model, kind in models():
    folder = OUT / name
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    path = str(folder / "model.safetensors")
    tensors = load_file(path)
    words = next(n for n in tensors if n.endswith(("wte.weight", "embed_tokens.weight", "shared.weight")))
    config = json.loads((folder / "config.json").read_text())
    if name in ("gpt2", "t5", "bart"):
        config.pop("tie_word_embeddings", None)
    change(tensors, kind, words)
    if kind == "none":  # transformers would initialize this head at random; tied is better
        config["tie_word_embeddings"] = True
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tensors, path, metadata={"format": "pt"})
    loaded = type(model).from_pretrained(folder).eval()
    expected[name] = last_logits(loaded, name in ("t5", "bart"))
    if kind == "none":
        config["tie_word_embeddings"] = False
        (folder / "config.json").write_text(json.dumps(config))
(OUT / "expected.json").write_text(json.dumps({"prompt": PROMPT, "logits": expected}))
