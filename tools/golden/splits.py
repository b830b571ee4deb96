"""Splits of 2,000 hard texts by regular expressions of well-known tokenizers and others, computed with the Rust tokenizers library.

Needs tokenizers. Reads packages/text/golden/hard-texts.json.gz (from encodings.py); writes packages/text/golden/splits.json.gz: for
each expression, the lengths of the parts of each text in UTF-16 code units. Lone surrogates are replaced with U+FFFD.
"""
import gzip
import json
from pathlib import Path

import tokenizers
from tokenizers import Regex, pre_tokenizers

FOLDER = Path(__file__).resolve().parents[2] / "packages/text/golden"
texts = json.loads(gzip.decompress((FOLDER / "hard-texts.json.gz").read_bytes()))
LARGE, SMALL = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
SAID = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"


def mixed(tail, digits):
    words = rf"[^\r\n\p{{L}}\p{{N}}]?{LARGE}*{SMALL}+{tail}|[^\r\n\p{{L}}\p{{N}}]?{LARGE}+{SMALL}*{tail}"
    return rf"{words}|\p{{N}}{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"


EXPRESSIONS = {
    "gpt2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "llama3": SAID + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "qwen2": SAID + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "qwen3.5": SAID + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "o200k": mixed(SAID + "?", "{1,3}"),
    "tekken": mixed("", ""),
    "deepseek-v3": "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    "deepseek-v3, raw": "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
    "deepseek-v3, ideographs": "[一-龥\u3040-ゟ゠-ヿ]+",
    "digits": r"\p{N}{1,3}",
    "deepseek-coder, punctuation": "\\s?[!-/:-~！-／：-～‘-‟　-。]+",
    "deepseek-coder, end": r"\s+$",
    "cl100k, as tiktoken has it": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    "clip": r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    "bloom": " ?[^\\s.,!?…。，、।۔،]+",
    "falcon": "[0-9][0-9][0-9]",
    "cut to length": ".{1,24}",
    "lines": "^.+?$|(?:\\n|\\r\\n?)+",
    "words": r"\w+|[^\w\s]+",
    "not": r"\P{L}+|\p{^Lu}|\S",
    "cases": r"(?i:k[b-s]+|don't|[^a-z\s]{2,3}?x)",
    "groups": r"(a|(?:bc|d){2,3})+e|\d{2,}(?=[a-z])|(?:ab|a)(?:c|bcd)?d*",
    "escapes": r"[\x41-\x{5a}\u00e9\t\-\]]+|\x20\.|[+*?{}]|a{|{}",
}


def width(text):
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def lengths(split, text):
    whole = "".join("\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else c for c in text)
    pieces = split.pre_tokenize_str(whole)
    assert "".join(piece for piece, _ in pieces) == whole
    return [width(piece) for piece, _ in pieces]


cases = [
    {"name": name, "expression": expression, "lengths": [lengths(pre_tokenizers.Split(Regex(expression), "isolated"), text) for text in texts]}
    for name, expression in EXPRESSIONS.items()
]
content = {"source": f"tokenizers {tokenizers.__version__} (Rust)", "cases": cases}
text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
(FOLDER / "splits.json.gz").write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))
