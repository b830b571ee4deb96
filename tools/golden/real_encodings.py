"""Encodings of hard and plain texts with the tokenizer of the real all-MiniLM-L6-v2, whose vocabulary has 30,522 entries.

Needs tokenizers. Reads packages/text/golden/hard-texts.json.gz (from encodings.py), examples/debian-sections/train.jsonl.gz and the model
(from tools/real-model/fetch.mjs); writes tools/real-model/golden/encodings.json.gz: ids, and offsets in UTF-16 code units. Lone
surrogates are replaced with U+FFFD.
"""
import gzip
import json
from pathlib import Path

import tokenizers
from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
hard = json.loads(gzip.decompress((ROOT / "packages/text/golden/hard-texts.json.gz").read_bytes()))
with gzip.open(ROOT / "examples/debian-sections/train.jsonl.gz", "rt", encoding="utf-8") as lines:
    plain = [json.loads(line)["text"] for line in lines][:1000]
tokenizer = Tokenizer.from_file(str(ROOT / "tools/real-model/model/tokenizer.json"))
tokenizer.no_truncation()
tokenizer.no_padding()


def encoded(text):
    whole = "".join("\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else c for c in text)
    places = [0]
    for character in whole:
        places.append(places[-1] + (2 if ord(character) > 0xFFFF else 1))
    encoding = tokenizer.encode(whole)
    special = encoding.special_tokens_mask
    return [encoding.ids, [0 if special[i] else places[end] for i, pair in enumerate(encoding.offsets) for end in pair]]


content = {"source": f"tokenizers {tokenizers.__version__} (Rust)", "hard": [encoded(text) for text in hard], "plain": [encoded(text) for text in plain]}
text = json.dumps(content, separators=(",", ":"))
(ROOT / "tools/real-model/golden/encodings.json.gz").write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))
