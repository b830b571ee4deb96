"""A WordPiece vocabulary trained by the Rust tokenizers library, and its encodings of hard and of real texts.

Needs tokenizers. Reads examples/debian-sections/train.jsonl.gz; writes plugins/tokenizer-wordpiece/golden/rust.json and
the tokenizer.json beside it.
"""
import gzip
import json
import random
from pathlib import Path

import tokenizers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "plugins/tokenizer-wordpiece/golden"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

with gzip.open(ROOT / "examples/debian-sections/train.jsonl.gz", "rt", encoding="utf-8") as lines:
    texts = [json.loads(line)["text"] for line in lines][:120]

HARD = [
    "", " ", "\t\n\r", "ΣΑΣ ΟΔΟΣ ὈΔΥΣΣΕΎΣ", "İstanbul ISTANBUL ß ẞ", "éclair e\u0301clair ÀÉÎ ñ n\u0303",
    "汉字漢字かなカナ한글 mixed漢字text", "👨‍👩‍👧‍👦 🇩🇪 ❤️ 👍🏽 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "a" * 99, "a" * 100, "a" * 101, "é" * 60, "e\u0301" * 60,
    "x" * 5000, "hello\u0000world\ufffd", "zero\u200bwidth\u200djoin\u00adsoft\ufeff", "[CLS] [SEP] [MASK] [UNK] [PAD]",
    "[sep] x[MASK]y [ MASK ]", "don't stop-it; a.b,c!?", "مرحبا بالعالم", "שָׁלוֹם עולם", "नमस्ते दुनिया", "ไทย ภาษา",
    "Ⅳ ² ½ ﬁ ﬂ", "x\u00a0y\u2003z\u3000w\u2028q\u0085r", "\u1680 \u180e \u202f", "a\u0300\u0301\u0302b", "𝒜𝓁𝓅𝒽𝒶 𐍈 𠀀",
    "$1,000.00 50% #tag @user", "—–…“”‘’«»", "\x7f\x80\x9f\u0600\ue000\U000e0001", "ǅ ǆ Ǆ ŉ ΐ", "ᾳ ᾼ ﬓ Ԑ ꙋ", "٠١٢ ੧੨",
    "😀😀", "||| ~~~ ``` ^^^ +++ <<>>", "\r\nline\rbreak", "ﷺ ㍿ Å ℡", "\u202eright to left\u202c", "##ing # #ing",
]
ALPHABET = [
    chr(code)
    for first, last in [
        (32, 127), (0xA0, 0x250), (0x300, 0x340), (0x370, 0x460), (0x5D0, 0x5EA), (0x620, 0x650), (0x900, 0x950),
        (0xE01, 0xE3A), (0x1E00, 0x1F00), (0x2000, 0x2070), (0x20A0, 0x20C0), (0x3040, 0x3060), (0x4E00, 0x4E40),
        (0xAC00, 0xAC20), (0x1F600, 0x1F620),
    ]
    for code in range(first, last)
]  # fmt: skip


def made_up(generator):
    letter = lambda: generator.choice(ALPHABET if generator.random() < 0.5 else "abcdefgh ")
    return "".join(letter() for _ in range(generator.randint(1, 40)))


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
