"""Every field of a tokenizer.json with its options: ids, offsets and decoded texts of the Rust tokenizers library.

Needs tokenizers. Reads packages/text/golden/hard-texts.json.gz (from encodings.py) and hard_texts.py; writes
packages/text/golden/tokenizer-fields.json.gz. A case has a small tokenizer.json, the ids and UTF-16 offsets of each text, and the
texts that lists of ids decode to. Two models show what the steps before them do: a BPE model of bytes, whose end-of-word suffix marks
the words, and a model without words, whose tokens have the offsets of the words. Encodings are null where the library fails, offsets
where they are wrong: those of BPE models without an unknown token, and of bytes. `refused` is true where the library rejects the file,
and where Attune does not support it.
"""
import gzip
import json
import random
from pathlib import Path

import tokenizers
from hard_texts import HARD
from tokenizers import Tokenizer

FOLDER = Path(__file__).resolve().parents[2] / "packages/text/golden"
hard = json.loads(gzip.decompress((FOLDER / "hard-texts.json.gz").read_bytes()))
generator = random.Random(3)
well_formed = [text for text in hard if len(text) < 60 and not any(0xD800 <= ord(c) <= 0xDFFF for c in text)]
SPACED = [
    "  two  leading", "trailing  ", " a", "a b", "a\tb\nc", "▁x ▁▁y", "x_y__z_", "it's 12,345.67 e.g. 1st", "Hello, World!  don't",
    "ab12cd 3456789", "the COVID-19 virus", "(a)[b]{c}", "İI ıi ǅ", "e\u0301 é ẹ\u0323", "<s>a</s> <s> b", "漢字kana カナ ー", "abc",
    "a" * 12, "--a--b", "a--b", "aXbXXc", "\u200b\u200c a\u00adb", " \u00a0 ", "don't won't I'm we've they're it's , . ? !",
]  # fmt: skip
texts = [text for text in HARD if len(text) < 200] + SPACED + generator.sample(well_formed, 40)

BYTES = {"<unk>": 0, **{f"<0x{byte:02X}>": byte + 1 for byte in range(256)}}
MICROSCOPE = {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None, "end_of_word_suffix": "_",
              "fuse_unk": False, "byte_fallback": True, "ignore_merges": False, "vocab": BYTES, "merges": []}  # fmt: skip
NO_WORDS = {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"}
FLAGS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}


def tokenizer_file(model, **sections):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None,
            "post_processor": None, "decoder": None, "model": model, **sections}  # fmt: skip


def added(token, content, **flags):
    return {"id": token, "content": content, **FLAGS, **flags}


def sequence(kind, *steps):
    key = {"normalizer": "normalizers", "pre_tokenizer": "pretokenizers", "decoder": "decoders", "post_processor": "processors"}[kind]
    return {"type": "Sequence", key: list(steps)}


def width(text):
    return len(text.encode("utf-16-le")) // 2


def utf16(text, offsets):
    return [width(text[:index]) for index in offsets]


cases = []


# Accepted by the library. (A length of 0 makes it fail on every text.)
UNSUPPORTED = ["(?i)a", "UnicodeScripts", '"length": 0', "\\\\b", "[a-c]+", '"Regex": "a"', '"dropout": 1.0', "dropout between",
               '"unk_token": "none", "continuing', '"WordLevel", "unk_token": "none"', "normalizes to nothing with {\"type\": \"Strip", '"type_id": 20',
               '"RobertaProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]}', "without type", 's": [{"type": "Sequence"',
               'single": [{"Sequence": {"id": "B"']  # fmt: skip


def case(name, content, encode=(), decode=(), pairs=(), offsets=True):
    if any(part in name for part in UNSUPPORTED) or name.count("TemplateProcessing") > 1:
        cases.append({"name": name, "json": content, "refused": True})
        return
    try:
        tokenizer = Tokenizer.from_str(json.dumps(content))
    except BaseException:
        cases.append({"name": name, "json": content, "refused": True})
        return
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def encoded(*both):
        try:
            encoding = tokenizer.encode(*both)
        except BaseException:
            return None
        parts = [both[min(sequence or 0, len(both) - 1)] for sequence in encoding.sequence_ids]
        places = [[0, 0] if special else utf16(parts[i], encoding.offsets[i]) for i, special in enumerate(encoding.special_tokens_mask)]
        return [encoding.ids, encoding.type_ids, sum(places, []) if offsets else None]

    def decoded(ids):
        try:
            return tokenizer.decode(ids)
        except BaseException:
            return None

    pairs_of_ids = [(ids, decoded(ids)) for ids in decode]
    cases.append({
        "name": name,
        "json": content,
        "encodings": [encoded(text) for text in encode],
        "texts": None if encode is texts else list(encode),
        "pairs": [[first, second, encoded(first, second)] for first, second in pairs],
        "decoded": [[ids, text] for ids, text in pairs_of_ids if text is not None],
    })  # fmt: skip


def both(name, **sections):
    case(f"{name}, as bytes", tokenizer_file(MICROSCOPE, **sections), texts, offsets=False)
    case(f"{name}, as words", tokenizer_file(NO_WORDS, **sections), texts)


# Normalizers
NORMALIZERS = [
    *({"type": name} for name in ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel"]),
    *({"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": chinese, "strip_accents": accents, "lowercase": lower}
      for clean, chinese, accents, lower in [(True, True, None, True), (False, False, None, False), (True, False, True, False),
                                             (False, True, False, True), (False, True, True, True), (True, True, None, False)]),
    *({"type": "Strip", "strip_left": left, "strip_right": right} for left in [True, False] for right in [True, False]),
    *({"type": "Prepend", "prepend": text} for text in ["▁", "ab "]),
    *({"type": "Replace", "pattern": pattern, "content": content} for pattern, content in [
        ({"String": " "}, "▁"), ({"Regex": " {2,}"}, " "), ({"Regex": "\\s+"}, " "), ({"String": "a"}, ""), ({"Regex": "[aeiou]"}, "<>"),
        ({"String": "``"}, '"'), ({"Regex": "."}, "x"), ({"String": "aX"}, "Y"), ({"String": "."}, "!"), ({"Regex": "(?i)a"}, "b"),
        ({"Regex": "\\d+"}, "#")]),
    sequence("normalizer", {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"}),
    sequence("normalizer", {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}),
    sequence("normalizer"),
    sequence("normalizer", sequence("normalizer", {"type": "Lowercase"}), {"type": "Strip", "strip_left": True, "strip_right": False}),
]  # fmt: skip
for step in NORMALIZERS:
    both(f"normalizer {json.dumps(step, ensure_ascii=False)[:200]}", normalizer=step)

# Pre-tokenizers
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
PRE_TOKENIZERS = [
    *({"type": name} for name in ["BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts", "FixedLength", "Punctuation"]),
    *({"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": cut} for prefix in [True, False] for cut in [True, False]),
    {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False},
    *({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": cut} for scheme in ["always", "first", "never"] for cut in [True, False]),
    {"type": "Metaspace", "replacement": "_", "prepend_scheme": "always"},
    {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True},
    {"type": "Metaspace", "replacement": "▁", "add_prefix_space": False, "prepend_scheme": "never"},
    {"type": "Metaspace", "replacement": "▁", "add_prefix_space": False, "prepend_scheme": "always"},
    {"type": "Metaspace", "replacement": "▁▁", "prepend_scheme": "always"},
    {"type": "Metaspace", "str_rep": "▁", "replacement": "▁", "add_prefix_space": True, "prepend_scheme": "first", "split": None},
    *({"type": "Punctuation", "behavior": behavior} for behavior in BEHAVIORS),
    *({"type": "Digits", "individual_digits": one} for one in [True, False]),
    {"type": "CharDelimiterSplit", "delimiter": "X"},
    {"type": "Delimiter", "delimiter": "X"},
    {"type": "CharDelimiterSplit", "delimiter": "XX"},
    *({"type": "FixedLength", "length": size} for size in [1, 3, 0]),
    *({"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert} for pattern in [{"String": "-"}, {"Regex": "X+|\\s"}]
      for behavior in BEHAVIORS for invert in [True, False]),
    {"type": "Split", "pattern": {"Regex": "\\d{1,3}(?=(\\d{3})*\\b)"}, "behavior": "Isolated", "invert": False},
    {"type": "Split", "pattern": {"String": "-"}, "behavior": "isolated", "invert": False},
    sequence("pre_tokenizer", {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True},
             {"type": "Metaspace", "replacement": "_", "prepend_scheme": "first", "split": False}),
    sequence("pre_tokenizer", {"type": "Punctuation", "behavior": "Contiguous"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}),
    sequence("pre_tokenizer", {"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}),
    sequence("pre_tokenizer", {"type": "Punctuation", "behavior": "Contiguous"}, {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
             {"type": "Digits", "individual_digits": False}, {"type": "Split", "pattern": {"Regex": "[0-9][0-9][0-9]"}, "behavior": "Isolated", "invert": False}),
    sequence("pre_tokenizer"),
    sequence("pre_tokenizer", sequence("pre_tokenizer", {"type": "WhitespaceSplit"}), {"type": "Digits", "individual_digits": True}),
]  # fmt: skip
for step in PRE_TOKENIZERS:
    both(f"pre_tokenizer {json.dumps(step, ensure_ascii=False)[:300]}", pre_tokenizer=step)

FIRST = {"type": "Metaspace", "replacement": "_", "prepend_scheme": "first", "split": True}
for normalizer in [{"type": "Strip", "strip_left": True, "strip_right": False}, {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": "▁"}, {"type": "Prepend", "prepend": "a"}]:
    both(f"pre_tokenizer {json.dumps(FIRST)} after {json.dumps(normalizer)}", normalizer=normalizer, pre_tokenizer=FIRST)
TO_BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
both("pre_tokenizer of bytes, then of their words", pre_tokenizer=sequence("pre_tokenizer", TO_BYTES, {**TO_BYTES, "use_regex": True}))

# Decoders
PIECES = ["▁the", "▁", "a", "##b", "##", "c</w>", "</w>", "<0xE2>", "<0x82>", "<0xAC>", "<0xFF>", "<0xff>", "<0x+F>", "|", "<pad>", "Ġhi",
          "Ãī", "ÃĨ", "é", "▁▁x▁", " .", " n't", " do not", "'", "  sp ", "h h", "aa", "€", "日", "a_", "<s>", "<unk>"]  # fmt: skip
LISTED = {piece: index for index, piece in enumerate(PIECES)}
lists = [[index] for index in range(len(PIECES))] + [[0, index, 2] for index in range(len(PIECES))]
lists += [[7, 8, 9], [7, 8], [2, 7, 8, 2], [9, 9, 2], [2, 2, 13, 14, 2, 2], [14, 14], [16, 17, 15], [99, 2], [], [1, 1, 1], [30, 2, 30, 31]]
lists += [[generator.randrange(len(PIECES)) for _ in range(generator.randint(2, 9))] for _ in range(60)]
DECODERS = [
    None,
    *({"type": name} for name in ["ByteFallback", "Fuse"]),
    {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    *({"type": "WordPiece", "prefix": prefix, "cleanup": cleanup} for prefix in ["##", "", "a"] for cleanup in [True, False]),
    *({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": True} for scheme in ["always", "first", "never"]),
    {"type": "Metaspace", "replacement": "_", "add_prefix_space": True},
    *({"type": "Strip", "content": content, "start": start, "stop": stop} for content, start, stop in [(" ", 1, 0), ("a", 1, 1), ("▁", 5, 5), ("日", 1, 0), (" ", 0, 0)]),
    {"type": "Strip", "content": "", "start": 1, "stop": 0},
    *({"type": "Replace", "pattern": pattern, "content": content} for pattern, content in [({"String": "▁"}, " "), ({"Regex": "[a-c]+"}, "X"), ({"Regex": "a"}, ""), ({"String": "h"}, "hh")]),
    {"type": "BPEDecoder", "suffix": "</w>"}, {"type": "BPEDecoder", "suffix": ""},
    *({"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": cleanup} for cleanup in [True, False]),
    {"type": "CTC", "pad_token": "a", "word_delimiter_token": "h", "cleanup": True},
    sequence("decoder", {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}),
    sequence("decoder", {"type": "ByteFallback"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}),
    sequence("decoder", {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}),
    sequence("decoder"),
    sequence("decoder", sequence("decoder", {"type": "Fuse"}), {"type": "Strip", "content": "a", "start": 1, "stop": 0}),
]  # fmt: skip
decoder_tokens = [added(30, "<s>", special=True), added(27, "€"), added(18, "é", normalized=True), added(len(PIECES), "new ▁ é")]
lists += [[len(PIECES), 2], [2, len(PIECES), 18, 27]]
for step in DECODERS:
    for model in [{"type": "WordLevel", "vocab": LISTED, "unk_token": "<unk>"},
                  {"type": "BPE", "vocab": LISTED, "merges": [], "unk_token": "<unk>", "end_of_word_suffix": "</w>"}]:
        name = f"decoder {json.dumps(step, ensure_ascii=False)[:200]} of {model['type']}"
        case(name, tokenizer_file(model, decoder=step, added_tokens=decoder_tokens), decode=lists)

# Models
LETTERS = ["<unk>", "a", "b", "c", "ab", "##a", "##b", "##c", "##bc", "a##", "b</w>", "ab</w>", "c</w>", "abc", "▁", "▁a", "▁abc", "aa", "A",
           "é", "日", "  ", "aaa"]  # fmt: skip
IDS = {token: index for index, token in enumerate(LETTERS)}
words = ["abc", "ab", "a", "b", "aab abc", "abcabc", "xyz", "axxb", "", "日本é", "bca cab", "aaaaaa", "a" * 7, "abx", "xab", "x", "ééé x", "😀ab"]
plain = {"type": "BPE", "vocab": IDS, "merges": []}
MODELS = [
    plain, {**plain, "merges": ["a b"]}, {**plain, "merges": [["a", "b"], ["ab", "c"]]}, {**plain, "merges": ["a b", "ab c"], "unk_token": "<unk>"},
    {**plain, "unk_token": "<unk>", "fuse_unk": True}, {**plain, "unk_token": "<unk>", "fuse_unk": None}, {**plain, "unk_token": "none"},
    {**plain, "ignore_merges": True, "unk_token": "<unk>"}, {**plain, "ignore_merges": None},
    {**plain, "continuing_subword_prefix": "##", "merges": ["##b ##c", "a ##b"], "unk_token": "<unk>"},
    {**plain, "vocab": {**IDS, "a##b": 30}, "continuing_subword_prefix": "##", "merges": ["##b ##c"], "unk_token": "<unk>"},
    {**plain, "end_of_word_suffix": "</w>", "merges": ["a b</w>"], "unk_token": "<unk>"},
    {**plain, "end_of_word_suffix": "", "continuing_subword_prefix": "", "merges": ["a b"]},
    {**plain, "merges": ["a z"]}, {**plain, "merges": ["a c"]}, {**plain, "merges": ["a"]}, {**plain, "merges": ["a b c"]}, {**plain, "merges": ["#version: 0.2", "a b"]},
    {**plain, "merges": ["a a", "aa a"]}, {**plain, "merges": ["a b", "a b"]},
    {**plain, "dropout": 0.5}, {**plain, "dropout": 0.0}, {**plain, "dropout": 2.0}, {**plain, "dropout": 1.0, "merges": ["a b"]},
    {"type": "BPE", "vocab": {**BYTES, "a": 257, "b": 258, "ab": 259}, "merges": ["a b"], "byte_fallback": True, "unk_token": "<unk>"},
    {"type": "BPE", "vocab": {**{k: v for k, v in BYTES.items() if k != "<0xA9>"}, "a": 257}, "merges": [], "byte_fallback": True, "unk_token": "<unk>", "fuse_unk": True},
    {"type": "BPE", "vocab": {**{k: v for k, v in BYTES.items() if k != "<0xA9>"}, "a": 257}, "merges": [], "byte_fallback": True, "fuse_unk": False},
    {"type": "BPE", "vocab": {**{k: v for k, v in BYTES.items() if k != "<0xE6>"}, "a": 257}, "merges": [], "byte_fallback": True, "unk_token": "<unk>", "fuse_unk": True},
    {"type": "BPE", "vocab": {"a": 0, "b": 5}, "merges": []},
    {"type": "WordPiece", "vocab": IDS, "unk_token": "<unk>", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100},
    {"type": "WordPiece", "vocab": IDS, "unk_token": "<unk>", "continuing_subword_prefix": "", "max_input_chars_per_word": 6},
    {"type": "WordPiece", "vocab": IDS, "unk_token": "<unk>", "continuing_subword_prefix": "@@", "max_input_chars_per_word": 100},
    {"type": "WordPiece", "vocab": IDS, "unk_token": "none", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100},
    {"type": "WordPiece", "vocab": IDS, "unk_token": "<unk>", "continuing_subword_prefix": "##", "max_input_chars_per_word": 0},
    {"type": "WordLevel", "vocab": IDS, "unk_token": "<unk>"}, {"type": "WordLevel", "vocab": IDS, "unk_token": "none"}, {"type": "WordLevel", "vocab": IDS},
    *({"type": "Unigram", "vocab": [[token, -float(index)] for token, index in IDS.items()], "unk_id": unknown, "byte_fallback": False} for unknown in [0, 2, None, 99]),
    {"type": "Unigram", "vocab": [["<unk>", 0.0], ["a", -1.0], ["b", -1.0], ["ab", -2.0], ["abc", -0.5], ["x", -3.0], ["é", -9.0]], "unk_id": 0},
    {"type": "Unigram", "vocab": [["<unk>", 0.0], *([f"<0x{byte:02X}>", 0.0] for byte in range(256)), ["a", -1.0], ["ab", -1.5]], "unk_id": 0, "byte_fallback": True},
    {"type": "Unigram", "vocab": [["<unk>", 0.0], *([f"<0x{byte:02X}>", 0.0] for byte in range(200)), ["a", -1.0], ["ab", -1.5]], "unk_id": 0, "byte_fallback": True},
    {"type": "Unigram", "vocab": [["<unk>", 0.0], ["a", -1.0], ["a", -5.0], ["b", -1.0]], "unk_id": 0, "byte_fallback": False},
    {"type": "Unigram", "vocab": [], "unk_id": 0, "byte_fallback": False},
    {"type": "Unigram", "vocab": [], "unk_id": None, "byte_fallback": False},
    {key: value for key, value in {**plain, "merges": ["a b"]}.items() if key != "type"},
    {"vocab": IDS, "unk_token": "<unk>", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100},
]  # fmt: skip
for model in MODELS:
    shown = {key: value for key, value in model.items() if key != "vocab"}
    if model.get("dropout") not in (0.5,):
        known = "unk_token" in model and not model.get("byte_fallback") or model.get("type", "BPE") != "BPE"
        case(f"model {json.dumps(shown)[:200]}, {len(model['vocab'])} tokens", tokenizer_file(model), words, offsets=known)
case("model with dropout between 0 and 1 (random)", tokenizer_file({**plain, "dropout": 0.5}))

# Added tokens
COVID = {"type": "WordLevel", "vocab": {"?": 0, "the": 1, "virus": 2, "covid": 3, "a": 4}, "unk_token": "?"}
SENTENCES = ["the COVID virus", "the covid virus", "theCOVIDvirus", "the  COVID  virus", " covid", "covid ", "xcovid", "the <s> virus", "<S> the", "<s><s>",
             "the\tCOVID\nvirus", "COVIDé", "Éa covid", "covid-covid", "a covid_ virus", "", "COVID COVID", "the c ovid", "ab", "abc", "İstanbul x", "<s> <s>"]  # fmt: skip
LOWER = {"type": "Lowercase"}
for flags in [{}, {"lstrip": True}, {"rstrip": True}, {"lstrip": True, "rstrip": True}, {"single_word": True}, {"single_word": True, "lstrip": True}]:
    for normalized in [True, False]:
        for special in [True, False]:
            for normalizer in [None, LOWER, {"type": "Prepend", "prepend": "▁"}]:
                token = {**flags, "normalized": normalized, "special": special}
                content = tokenizer_file(COVID, normalizer=normalizer, pre_tokenizer={"type": "Whitespace"}, added_tokens=[added(5, "COVID", **token), added(6, "<s>", special=True)])
                case(f"added token {json.dumps(token)} with {json.dumps(normalizer)}", content, SENTENCES, [[1, 5, 2], [5], [6, 5, 6]])
ADDED = {
    "in the vocabulary": [added(3, "covid")], "with another id than in the vocabulary": [added(9, "covid")], "with a gap": [added(7, "COVID")],
    "with the id of another token": [added(1, "COVID")], "with ids that are swapped": [added(6, "COVID"), added(5, "<s>")],
    "twice": [added(5, "COVID"), added(5, "COVID")], "twice with other flags": [added(5, "COVID", special=True), added(5, "COVID", lstrip=True)],
    "without content": [added(5, ""), added(5, "COVID")], "one in another": [added(5, "ab"), added(6, "abc"), added(7, "b")],
    "that normalizes to nothing": [added(5, "é\u0301", normalized=True)],
    "that normalize to another one": [added(5, "COVID", normalized=True), added(6, "covid x", normalized=True)],
    "of a space that strips": [added(5, " ", lstrip=True, rstrip=True)], "of a space that strips right": [added(5, " ", rstrip=True)],
    "of a space after one that strips": [added(5, "COVID", rstrip=True), added(6, " "), added(7, "the", lstrip=True, rstrip=True)],
    "of a space": [added(5, " ")], "of spaces, normalized": [added(5, "  ", normalized=True)],
}  # fmt: skip
for name, tokens in ADDED.items():
    for normalizer in [None, LOWER, {"type": "StripAccents"}]:
        if name == "that normalizes to nothing" and normalizer and normalizer["type"] == "StripAccents":
            tokens = [added(5, "\u0301\u0300", normalized=True)]
        content = tokenizer_file(COVID, normalizer=normalizer, pre_tokenizer={"type": "Whitespace"}, added_tokens=tokens)
        case(f"added tokens {name} with {json.dumps(normalizer)}", content, SENTENCES, [[index] for index in range(8)] + [[5, 6, 1]])
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
byte_tokens = [added(257, "né", normalized=True), added(258, "é", normalized=False)]
case("added tokens with a byte-level normalizer", tokenizer_file({"type": "BPE", "vocab": BYTES, "merges": [], "unk_token": "<unk>"}, normalizer={"type": "ByteLevel"},
     decoder=BYTE_LEVEL, added_tokens=byte_tokens), ["né", "xnéy", "é", "ané é"], [[257, 258], [257], [258]])  # fmt: skip
case("added tokens with a prefix", tokenizer_file(MICROSCOPE, normalizer=NORMALIZERS[-4], added_tokens=[added(257, "<x>"), added(258, "<y>", normalized=True)]),
     ["<x>", "a<x>b", "<x> <x>", "<y>", "a<y>b", "a <y> b", " <y>"], offsets=False)  # fmt: skip

# Post-processors
ROLES = {"[CLS]": 1, "[SEP]": 2, "a": 3, "b": 4, "Ġa": 5, "Ġ": 6}
role_model = {"type": "WordLevel", "vocab": {"?": 0, **ROLES}, "unk_token": "?"}
PAIRS = [("a", "b"), ("a b", ""), ("", "b a"), ("", ""), ("b [SEP] a", "a  a")]


def item(name, kind=0):
    return {"Sequence": {"id": name[1:], "type_id": kind}} if name.startswith("$") else {"SpecialToken": {"id": name, "type_id": kind}}


def template(single, pair, tokens):
    return {"type": "TemplateProcessing", "single": single, "pair": pair,
            "special_tokens": {name: {"id": name, "ids": ids, "tokens": [name] * len(ids)} for name, ids in tokens.items()}}  # fmt: skip


CLS, SEP, A, B = item("[CLS]"), item("[SEP]"), item("$A"), item("$B", 1)
KNOWN = {"[CLS]": [1], "[SEP]": [2]}
PROCESSORS = [
    template([CLS, A, SEP], [CLS, A, SEP, B, item("[SEP]", 1)], KNOWN),
    template([A, SEP], [A, SEP, B, SEP], KNOWN), template([A, SEP, item("[CLS]", 2)], [A, SEP, B, item("[SEP]", 1), item("[CLS]", 2)], KNOWN),
    template([A], [B, A], {}), template([A], [A, B, A], {}), template([A, A], [A, B], {}), template([item("$A", 3)], [item("$A", 3), item("$B", 4)], {}),
    template([CLS, A], [CLS, A, B], {"[CLS]": [1, 2, 2]}), template([CLS, A], [CLS, A], KNOWN), template([CLS], [CLS], KNOWN),
    template([B], [A, B], {}), template([], [], {}), template([item("$A", 20)], [A, B], {}),
    {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
    *({"type": "RobertaProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1], "trim_offsets": trim, "add_prefix_space": prefix} for trim in [True, False] for prefix in [True, False]),
    {"type": "RobertaProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
    *({"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": True} for trim in [True, False] for prefix in [True, False]),
    sequence("post_processor", {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True}, template([CLS, A], [CLS, A, item("[CLS]", 1), B], KNOWN)),
    sequence("post_processor", template([CLS, A], [CLS, A, B], KNOWN), {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False}),
    sequence("post_processor", template([CLS, A], [CLS, A, B], KNOWN), template([A, SEP], [A, B, SEP], KNOWN)),
    sequence("post_processor"),
]  # fmt: skip
for step in PROCESSORS:
    for before in [{"type": "Whitespace"}, {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}]:
        case(f"post_processor {json.dumps(step)[:900]} after {before['type']}", tokenizer_file(role_model, pre_tokenizer=before, post_processor=step),
             ["a", "a b", "", " a  b ", "b [SEP] a", "ab a  a"], pairs=PAIRS)  # fmt: skip

# The file itself
base = tokenizer_file(COVID, pre_tokenizer={"type": "Whitespace"})
for name, change in {
    "version 2.0": {"version": "2.0"}, "version 1.0": {"version": "1.0"}, "version null": {"version": None}, "added_tokens null": {"added_tokens": None},
    "normalizer without type": {"normalizer": {"strip_left": True, "strip_right": True}}, "unknown normalizer": {"normalizer": {"type": "Upper"}},
    "unknown pre_tokenizer": {"pre_tokenizer": {"type": "Cut"}}, "unknown decoder": {"decoder": {"type": "Cut"}}, "unknown post_processor": {"post_processor": {"type": "Cut"}},
}.items():  # fmt: skip
    case(f"file with {name}", {**base, **change}, ["the covid virus"])
for missing in ["version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model"]:
    case(f"file without {missing}", {key: value for key, value in base.items() if key != missing}, ["the covid virus"])

content = {"source": f"tokenizers {tokenizers.__version__} (Rust)", "texts": texts, "cases": cases}
text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
(FOLDER / "tokenizer-fields.json.gz").write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))
