"""Tokenizers in the metadata of GGUF files, and their ids with transformers. For Qwen 2, the ids of the original tokenizer, because
transformers drops its Unicode normalization.

Needs gguf 0.19, tokenizers and transformers 5.23. Reads the tokenizers and texts from encodings.py; writes
packages/text/golden/gguf-tokenizers.json.gz.
"""
import gzip
import json
import tempfile
from pathlib import Path

import gguf
import transformers
from transformers import AutoTokenizer

FOLDER = Path(__file__).resolve().parents[2] / "packages/text/golden"


def read(name):
    return json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))


def metadata(name, model, pre, **more):
    tokenizer = read(f"encodings-{name}")["tokenizer"]
    vocabulary = tokenizer["model"]["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.get)
    special = {token["content"] for token in tokenizer["added_tokens"]}
    types = [3 if token in special else 6 if model == "llama" and token.startswith("<0x") else 1 for token in tokens]
    merges = [" ".join(merge) for merge in tokenizer["model"]["merges"]]
    found = {"tokenizer.ggml.model": model, "tokenizer.ggml.pre": pre, "tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": types}
    if model == "gpt2":
        found["tokenizer.ggml.merges"] = merges
    else:
        found["tokenizer.ggml.scores"] = [0.0 if kind != 1 else -float(at) for at, kind in enumerate(types)]
    return {**found, **{f"tokenizer.ggml.{key}": value for key, value in more.items()}}


def encoded(architecture, found, texts):
    with tempfile.TemporaryDirectory() as folder:
        writer = gguf.GGUFWriter(f"{folder}/t.gguf", architecture)
        for add, value in [
            (writer.add_context_length, 64), (writer.add_block_count, 1), (writer.add_embedding_length, 32),
            (writer.add_feed_forward_length, 32), (writer.add_head_count, 2), (writer.add_head_count_kv, 2),
            (writer.add_layer_norm_rms_eps, 1e-5), (writer.add_layer_norm_eps, 1e-5), (writer.add_vocab_size, len(found["tokenizer.ggml.tokens"])),
        ]:  # fmt: skip
            add(value)
        for key, value in found.items():
            if isinstance(value, list):
                writer.add_array(key, value)
            elif isinstance(value, bool):
                writer.add_bool(key, value)
            elif isinstance(value, int):
                writer.add_uint32(key, value)
            else:
                writer.add_string(key, value)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file="t.gguf")
    return [tokenizer(text)["input_ids"] for text in texts]


texts = [text for text in read("hard-texts") if not any(0xD800 <= ord(c) <= 0xDFFF for c in text)][:: 4]
cases = {
    "gpt2": ("gpt2", metadata("gpt2", "gpt2", "gpt-2", bos_token_id=0, eos_token_id=0)),
    "qwen2": ("qwen2", metadata("qwen2", "gpt2", "qwen2", eos_token_id=2, padding_token_id=0, add_bos_token=False)),
    "llama": ("llama", metadata("llama2", "llama", "default", bos_token_id=1, eos_token_id=2, unknown_token_id=0, add_bos_token=True)),
}
def ids(name, architecture, found):
    if name != "qwen2":
        return encoded(architecture, found, texts)
    golden = dict(zip(read("hard-texts"), read("encodings-qwen2")["encodings"]))
    return [golden[text][0] for text in texts]


content = {
    "source": f"transformers {transformers.__version__}",
    "texts": texts,
    "cases": {name: {"metadata": found, "ids": ids(name, architecture, found)} for name, (architecture, found) in cases.items()},
}
text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
(FOLDER / "gguf-tokenizers.json.gz").write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))
