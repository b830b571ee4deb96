"""Encodings (ids and offsets) of 2,000 hard texts with tokenizers of every type, computed with the Rust tokenizers library.

Needs tokenizers and sentencepiece (for the normalization rules of its models). Reads examples/debian-sections/train.jsonl.gz; writes
packages/text/golden/hard-texts.json.gz and packages/text/golden/encodings-<name>.json.gz: a small tokenizer.json, the ids and offsets
of every text, and windows over pairs. Offsets count UTF-16 code units.

The Rust library cannot encode lone surrogates; it receives U+FFFD instead. Characters that the library normalizes with older Unicode
tables are excluded. Offsets are null where SentencePiece's rules remove the first character of a text: the library's are wrong from
there on.
"""
import gzip
import io
import json
import random
import unicodedata
from pathlib import Path

import sentencepiece
import tokenizers
from hard_texts import HARD
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "packages/text/golden"
with gzip.open(ROOT / "examples/debian-sections/train.jsonl.gz", "rt", encoding="utf-8") as lines:
    texts = [json.loads(line)["text"] for line in lines][:400]
YOUNG = {0x32FF, *range(0xA7F1, 0xA7F5), 0xAB69, *range(0x10780, 0x107BB), *range(0x1E030, 0x1E06E), 0x1F16C, *range(0x1FBF0, 0x1FBFA)}
YOUNG |= {0x11938, 0x1734, 0x890, 0x891, 0x8E2, 0x110CD, 0x166D, 0x111C9, 0x1171E, 0x88F, 0xC5C, 0xCDC, *range(0x13430, 0x13440)}


def normalizes_alike(c):
    tried = ["a\u0345" + c, "a" + c + "\u0334", c]
    return all(getattr(normalizers, form)().normalize_str(x) == unicodedata.normalize(form, x) for x in tried for form in ("NFC", "NFKD"))


ASSIGNED = [chr(c) for c in range(0x20, 0x110000) if c not in YOUNG and unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
ASSIGNED = [c for c in ASSIGNED if normalizes_alike(c)]
SCRIPTS = {}
for character in ASSIGNED:
    SCRIPTS.setdefault(unicodedata.name(character, "CONTROL").split()[0].split("-")[0], []).append(character)
SCRIPTS = [group for group in SCRIPTS.values() if len(group) >= 10]
EMOJI = "👨‍👩‍👧‍👦|🇩🇪🇫🇷|❤️|👍🏽|🏴󠁧󠁢󠁥󠁮󠁧󠁿|1️⃣|🧑🏿‍🚀|👩‍❤️‍💋‍👨|🏳️‍🌈|😀😀|©️|🫱🏻‍🫲🏿".split("|")
CONTROLS = [chr(c) for c in [*range(0, 32), 127, *range(0x80, 0xA0), 0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x202A, 0x202E, 0x2028, 0x2060, 0xFEFF, 0xFFFD]]
MARKS = [chr(c) for c in [0x300, 0x301, 0x308, 0x316, 0x323, 0x327, 0x345, 0x5B0, 0x5C1, 0x64B, 0x651, 0x93C, 0x94D, 0x3099, 0x20DD, 0xE31, 0x1DC0]]
SPECIAL = ["[CLS]", "[SEP]", "[MASK]", "[PAD]", "<s>", "</s>", "<mask>", "<pad>", "<unk>", "<|endoftext|>", " <mask> ", "##", "▁", "Ġ"]
CODE = ["def f(x):\n    return x**2  # it's\n", "I'll you're WE'VE 12345 3.14\r\n\r\n  x", "\tindent\n\n\n   end   ", "a\u00a0b  c"]


def hard_texts(generator):
    words = " ".join(texts).split()
    pick = generator.choice

    def piece():
        kind = generator.randrange(12)
        if kind < 4:
            script = pick(SCRIPTS)
            return "".join(pick(script) for _ in range(generator.randint(1, 8)))
        if kind < 6:
            return pick(words)
        if kind == 6:
            return "".join(pick(words)[:3] + pick(MARKS) * generator.randint(1, 3) for _ in range(2))
        if kind == 7:
            return pick(EMOJI)
        if kind == 8:
            return pick(CONTROLS)
        if kind == 9:
            return pick(SPECIAL)
        if kind == 10:
            return str(generator.randrange(10 ** generator.randint(1, 9))) + pick(["", "%", "'s", "'LL", "st", "€"])
        return pick([" ", "  ", "\n", "\t", "\r\n", "\u3000", "\u00a0", "...", "?!", "«", "—"])

    made = [*HARD, *CODE, *EMOJI, *CONTROLS, "y" * 3000, "ab " * 300, "é" * 500, "日本語" * 200, "\u05d0\u05d1 \u202eabc\u202c \u0645\u0631"]
    made += ["lone \ud800 high", "low \udc00 lone", "\udfff\ud83d", "a\ud83d b\ude00"]
    while len(made) < 2000:
        made.append(pick(["", " "]).join(piece() for _ in range(generator.randint(1, 7))))
    return made[:2000]


def word_piece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    train(tokenizer, trainers.WordPieceTrainer(vocab_size=1500, special_tokens=special, show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def train(tokenizer, trainer):
    tokenizer.train_from_iterator(texts + HARD, trainer)


def byte_trainer(special):
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return trainers.BpeTrainer(vocab_size=1500, special_tokens=special, initial_alphabet=alphabet, show_progress=False)


def gpt2():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    train(tokenizer, byte_trainer([AddedToken("<|endoftext|>", normalized=True, special=True)]))
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def roberta():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    train(tokenizer, byte_trainer(["<s>", "<pad>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True, special=True)]))
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=True)
    return tokenizer


def qwen2():
    cut = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    steps = [pre_tokenizers.Split(Regex(cut), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    train(tokenizer, byte_trainer(["<|endoftext|>", "<|im_start|>", "<|im_end|>"]))
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def llama2():
    """A BPE tokenizer with spaces inside tokens, byte fallback, and no pre-tokenization into words."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    special = ["<unk>", "<s>", "</s>", *[f"<0x{byte:02X}>" for byte in range(256)]]
    train(tokenizer, trainers.BpeTrainer(vocab_size=1500, special_tokens=special, limit_alphabet=120, show_progress=False))
    content = json.loads(tokenizer.to_str())
    content["pre_tokenizer"] = None
    content["normalizer"] = {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}  # fmt: skip
    content["added_tokens"] = content["added_tokens"][:3]
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    return tokenizer


def rules():
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, vocab_size=500, normalization_rule_name="nmt_nfkc", minloglevel=2
    )
    parsed = sentencepiece_model_pb2.ModelProto()
    parsed.ParseFromString(model.getvalue())
    return parsed.normalizer_spec.precompiled_charsmap


RULES = normalizers.Precompiled(rules())


def xlm_roberta():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([RULES, normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    special = ["<s>", "<pad>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True, special=True)]
    train(tokenizer, trainers.UnigramTrainer(vocab_size=1200, special_tokens=special, unk_token="<unk>", show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def t5():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [RULES, normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(" {2,}"), "▁")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    special = ["<pad>", "</s>", "<unk>", AddedToken("<extra_id_0>", normalized=False, special=True)]
    train(tokenizer, trainers.UnigramTrainer(vocab_size=1200, special_tokens=special, unk_token="<unk>", show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return tokenizer


def words():
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    steps = [pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    special = ["[PAD]", "[UNK]", AddedToken("Fancy Word", normalized=True, single_word=True)]
    train(tokenizer, trainers.WordLevelTrainer(vocab_size=1500, special_tokens=special, show_progress=False))
    return tokenizer


def utf16(text):
    """The index of each character in UTF-16 code units."""
    places = [0]
    for character in text:
        places.append(places[-1] + (2 if ord(character) > 0xFFFF else 1))
    return places


def given(text):
    return "".join("\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else c for c in text)


def flat(encoding, first, second=""):
    places = [utf16(given(first)), utf16(given(second))]
    of = [places[sequence or 0] for sequence in encoding.sequence_ids]
    offsets = [0 if special else of[i][end] for i, special in enumerate(encoding.special_tokens_mask) for end in encoding.offsets[i]]
    return [encoding.ids, offsets]


def loses_beginning(tokenizer, text):
    """True if a normalizer with rules removes the first character of the text or after an added token."""
    if "Precompiled" not in str(tokenizer.normalizer):
        return False
    text = given(text)
    for token in tokenizer.get_added_tokens_decoder().values():
        text = text.replace(token.content, "\0\0")
    return any(part and RULES.normalize_str(part[0]) == "" for part in text.split("\0\0"))


def windows(tokenizer, strings, generator):
    """Windows over texts and pairs. Encodes everything and splits it afterwards: with truncation enabled, the library stops early."""
    cases = []
    for _ in range(60):
        first = generator.choice(texts)[:150] if generator.random() < 0.5 else generator.choice(strings)
        side, length, stride = generator.choice(["left", "right"]), generator.choice([9, 12, 20, 33]), generator.choice([0, 1])
        encoding = tokenizer.encode(given(first), add_special_tokens=False)
        encoding.truncate(length, stride=stride, direction=side)
        made = [flat(each, first) for each in [encoding, *encoding.overflowing]]
        cases.append([first, {"maximumLength": length, "stride": stride, "truncationSide": side, "addSpecialTokens": False}, made])
    for _ in range(40):
        first, second = generator.choice(strings), generator.choice(strings)
        encoding = tokenizer.encode(given(first), given(second))
        cases.append([first, {"pair": second}, [flat(encoding, first, second)]])
    for _ in range(40):
        first, second = generator.choice(strings)[:60], generator.choice(strings)[:60]
        tokenizer.enable_truncation(generator.choice([11, 14, 25]), stride=1, direction="right")
        encoding = tokenizer.encode(given(first), given(second))
        length = tokenizer.truncation["max_length"]
        tokenizer.no_truncation()
        cases.append([first, {"pair": second, "maximumLength": length}, [flat(encoding, first, second)]])
    return cases


generator = random.Random(17)
strings = hard_texts(generator)
FOLDER.mkdir(parents=True, exist_ok=True)


def write(name, content):
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    (FOLDER / name).write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))


write("hard-texts.json.gz", strings)
for make in [word_piece, gpt2, roberta, qwen2, llama2, xlm_roberta, t5, words]:
    tokenizer = make()
    tokenizer.no_truncation()
    encodings = [(text, flat(tokenizer.encode(given(text)), text)) for text in strings]
    content = {
        "source": f"tokenizers {tokenizers.__version__} (Rust)",
        "tokenizer": json.loads(tokenizer.to_str()),
        "encodings": [encoding if not loses_beginning(tokenizer, text) else [encoding[0], None] for text, encoding in encodings],
        "windows": windows(tokenizer, [text for text in strings if not loses_beginning(tokenizer, text)], generator),
    }
    write(f"encodings-{make.__name__.replace('_', '-')}.json.gz", content)
