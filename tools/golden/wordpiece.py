"""A WordPiece vocabulary trained by the Rust tokenizers library, and its encodings of hard and real texts.

Needs tokenizers. Reads examples/debian-sections/train.jsonl.gz; writes plugins/tokenizer-wordpiece/golden/rust.json and
its tokenizer.json.
"""
import gzip
import json
import random
from pathlib import Path

import tokenizers
from hard_texts import HARD, made_up
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "plugins/tokenizer-wordpiece/golden"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

with gzip.open(ROOT / "examples/debian-sections/train.jsonl.gz", "rt", encoding="utf-8") as lines:
    texts = [json.loads(line)["text"] for line in lines][:120]

def train(lowercase):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=1500, min_frequency=2, special_tokens=SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def case(tokenizer, text, pair=None, maximum_length=None):
    tokenizer.no_truncation()
    if maximum_length is not None:
        tokenizer.enable_truncation(maximum_length)
    encoding = tokenizer.encode(text, pair)
    given = {"text": text, "pair": pair, "maximumLength": maximum_length}
    return {**{k: v for k, v in given.items() if v is not None}, "ids": encoding.ids, "typeIds": encoding.type_ids}


generator = random.Random(11)
lower, cased = train(True), train(False)
strings = HARD + [made_up(generator) for _ in range(250)]
pairs = [
    (generator.choice(strings + texts), generator.choice(strings + texts), generator.choice([None, 3, 4, 5, 8, 16, 33]))
    for _ in range(80)
]
singles = [(text, generator.choice([2, 3, 7, 20])) for text in texts[:15]]
FOLDER.mkdir(parents=True, exist_ok=True)
for name, tokenizer in [("lowercase", lower), ("cased", cased)]:
    golden = [case(tokenizer, text) for text in strings + (texts[:30] if name == "lowercase" else [])]
    if name == "lowercase":
        golden += [case(tokenizer, a, b, n) for a, b, n in pairs] + [case(tokenizer, a, None, n) for a, n in singles]
    tokenizer.no_truncation()
    content = {
        "source": f"tokenizers {tokenizers.__version__} (Rust)",
        "tokenizer": json.loads(tokenizer.to_str()),
        "encodings": golden,
        "corpus": texts if name == "lowercase" else [],
    }
    (FOLDER / f"rust-{name}.json").write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")))
