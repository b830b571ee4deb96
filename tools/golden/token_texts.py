"""The text that each token adds, computed with the decoders of the Rust tokenizers library.

Needs tokenizers. Reads examples/debian-sections/train.jsonl.gz; writes packages/generate/golden/tokens-<name>.json: a tokenizer.json,
and ids with their decoded text, after a first id, so that the others are not at the start of a text.

  byte-level   byte-level BPE, with special and non-special added tokens
  wordpiece    ## continues a word, with clean-up of spaces
  unclean      ## continues a word, without clean-up
  metaspace    ▁ is a space, no bytes: characters outside the vocabulary cannot be generated
  fallback     ▁ is a space, and <0x0A> a byte, as in Llama's first tokenizers
  words        no decoder: words joined with spaces

Training breaks ties arbitrarily, so the vocabularies differ slightly between runs.
"""
import gzip
import json
import random
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "packages/generate/golden"
SPECIAL = ["<unk>", "<s>", "</s>"]
HARD = [
    "é è ü ñ ß ø", "日本語 漢字 かな", "😀 👍🏽 👨‍👩‍👧", "don't stop, we've won! do not, she's n't", "a  b   c\n\td", "Ωμέγα дом שלום",
    "x\u00a0y", "\u2028", "{}[]\":,\\/", "½ € 𝒜",
]  # fmt: skip
RECORDS = [
    {"name": name, "age": 7 * i, "email": f"{name.lower()}@example.org", "tags": ["new", "old"][: i % 3], "active": i % 2 == 0,
     "score": i / 4, "city": None}
    for i, name in enumerate(["Ada", "Émile", "Grace", "Kurt", "Zoë", "Alan"])
]  # fmt: skip

with gzip.open(ROOT / "examples/debian-sections/train.jsonl.gz", "rt", encoding="utf-8") as lines:
    docs = [json.loads(line)["text"] for line in lines][:200]
texts = docs + HARD * 3 + [json.dumps(record, ensure_ascii=False) for record in RECORDS] * 10
texts += [json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in RECORDS] * 10


def options(size):
    return {"vocab_size": size, "min_frequency": 2, "special_tokens": SPECIAL, "show_progress": False}


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(initial_alphabet=alphabet, **options(900)))
    tokenizer.add_tokens(["<tool>", "    ", "日", "wholly new"])
    tokenizer.add_special_tokens([AddedToken("<|end|>", special=True)])
    return tokenizer


def wordpiece(cleanup):
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=cleanup)
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(**options(500)))
    return tokenizer


def metaspace():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=400, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def fallback():
    plain = Tokenizer(models.BPE())
    plain.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    plain.train_from_iterator(docs, trainers.BpeTrainer(**options(400), limit_alphabet=80))
    model = json.loads(plain.to_str())["model"]
    learned = [token for token in sorted(model["vocab"], key=model["vocab"].get) if token not in SPECIAL]
    vocabulary = SPECIAL + [f"<0x{byte:02X}>" for byte in range(256)] + learned
    merges = [tuple(merge) for merge in model["merges"]]
    ids = {token: i for i, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.BPE(ids, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = plain.normalizer
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    tokenizer.decoder = decoders.Sequence(steps)
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def words():
    vocabulary = SPECIAL + ["hello", "world", "é", "##x", "▁y", "Ġz"]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(vocabulary)}, unk_token="<unk>"))
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def cases(name, tokenizer):
    generator = random.Random(name)
    ids = list(range(tokenizer.get_vocab_size()))
    # Libraries decode invalid byte sequences differently: only bytes that form characters, and ASCII, are included.
    lone = lambda token: name == "fallback" and token.startswith("<0x") and int(token[3:5], 16) > 127
    ids = [i for i in ids if not lone(tokenizer.id_to_token(i))]
    generator.shuffle(ids)
    rows = [ids[i : i + 15] for i in range(0, len(ids), 15)]
    rows += [tokenizer.encode(text, add_special_tokens=False).ids for text in HARD + texts[-6:]]
    first = next(i for i in range(20, len(ids)) if tokenizer.id_to_token(i).isalpha()) if name != "words" else 3
    made = [{"ids": [first, *row], "text": tokenizer.decode([first, *row], skip_special_tokens=True)} for row in rows]
    return {"first": tokenizer.decode([first]), "cases": made}


FOLDER.mkdir(exist_ok=True)
TOKENIZERS = {
    "byte-level": byte_level(), "wordpiece": wordpiece(True), "unclean": wordpiece(False), "metaspace": metaspace(),
    "fallback": fallback(), "words": words(),
}  # fmt: skip
for name, tokenizer in TOKENIZERS.items():
    golden = {"source": f"tokenizers {tokenizers.__version__}", "tokenizer": json.loads(tokenizer.to_str()), **cases(name, tokenizer)}
    (FOLDER / f"tokens-{name}.json").write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")))
