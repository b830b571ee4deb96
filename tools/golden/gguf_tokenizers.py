"""Tokenizers in the metadata of GGUF files, and their ids with transformers. For Qwen 2 and BERT, the ids of the original tokenizer,
because transformers drops the Unicode normalization of the one and does not read the other; for a SentencePiece model, those of
SentencePiece.

The words of the pre-tokenizers come from the Rust tokenizers library. Their steps are those of the original tokenizers or, where the
expression is marked, of llama.cpp (src/llama-vocab.cpp).

Needs gguf, sentencepiece, tokenizers and transformers 5.24. Reads the tokenizers and texts from encodings.py and
examples/debian-sections/train.jsonl.gz; writes
packages/text/golden/gguf-tokenizers.json.gz.
"""
import base64
import gzip
import io
import json
import tempfile
from pathlib import Path

import gguf
import sentencepiece
import tokenizers
import transformers
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, normalizers, pre_tokenizers
from transformers import AutoTokenizer, T5Tokenizer

FOLDER = Path(__file__).resolve().parents[2] / "packages/text/golden"


def read(name):
    return json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))


def metadata(name, model, pre, **more):
    tokenizer = read(f"encodings-{name}")["tokenizer"]
    vocabulary = tokenizer["model"]["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.get)
    special = {token["content"] for token in tokenizer["added_tokens"]}
    types = [3 if token in special else 6 if model == "llama" and token.startswith("<0x") else 1 for token in tokens]
    merges = [" ".join(merge) for merge in tokenizer["model"].get("merges", [])]
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
    # The class of Gemma adds special tokens that the file lacks.
    made = [tokenizer(text)["input_ids"] for text in texts]
    return [ids if all(each < len(found["tokenizer.ggml.tokens"]) for each in ids) else None for ids in made]


def unicodedata_cased(code):
    """True for the letters with case that DeepSeek LLM lists: those of Unicode 11, without Armenian and Georgian small letters."""
    return any(first <= code <= last for first, last in CASED_RANGES)


CASED_RANGES = [
    (0x41, 0x5A), (0x61, 0x7A), (0xB5, 0xB5), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x1BA), (0x1BC, 0x1BF), (0x1C4, 0x293), (0x295, 0x2AF),
    (0x370, 0x373), (0x376, 0x376), (0x377, 0x377), (0x37B, 0x37D), (0x37F, 0x37F), (0x386, 0x386), (0x388, 0x38A), (0x38C, 0x38C),
    (0x38E, 0x3A1), (0x3A3, 0x3F5), (0x3F7, 0x481), (0x48A, 0x52F), (0x531, 0x556), (0x10A0, 0x10C5), (0x13A0, 0x13F5),
    (0x13F8, 0x13FD), (0x1C90, 0x1CBA), (0x1CBD, 0x1CBF), (0x1D00, 0x1D2B), (0x1D6B, 0x1D77), (0x1D79, 0x1D9A), (0x1E00, 0x1F15),
    (0x1F18, 0x1F1D), (0x1F20, 0x1F45), (0x1F48, 0x1F4D), (0x1F50, 0x1F57), (0x1F59, 0x1F59), (0x1F5B, 0x1F5B), (0x1F5D, 0x1F5D),
    (0x1F5F, 0x1F7D), (0x1F80, 0x1FB4), (0x1FB6, 0x1FBC), (0x1FBE, 0x1FBE), (0x1FC2, 0x1FC4), (0x1FC6, 0x1FCC), (0x1FD0, 0x1FD3),
    (0x1FD6, 0x1FDB), (0x1FE0, 0x1FEC), (0x1FF2, 0x1FF4), (0x1FF6, 0x1FFC), (0x2102, 0x2102), (0x2107, 0x2107), (0x210A, 0x2113),
    (0x2115, 0x2115), (0x2119, 0x211D), (0x2124, 0x2124), (0x2126, 0x2126), (0x2128, 0x2128), (0x212A, 0x212D), (0x212F, 0x2134),
    (0x2139, 0x2139), (0x213C, 0x213F), (0x2145, 0x2149), (0x214E, 0x214E), (0x2183, 0x2183), (0x2184, 0x2184), (0x2C00, 0x2C7B),
    (0x2C7E, 0x2CE4), (0x2CEB, 0x2CEE), (0x2CF2, 0x2CF2), (0x2CF3, 0x2CF3), (0xA640, 0xA66D), (0xA680, 0xA69B), (0xA722, 0xA76F),
    (0xA771, 0xA787), (0xA78B, 0xA78E), (0xAB70, 0xABBF), (0xFB00, 0xFB06), (0xFB13, 0xFB17), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A),
    (0x10400, 0x1044F), (0x104B0, 0x104D3), (0x104D8, 0x104FB), (0x10C80, 0x10CB2), (0x10CC0, 0x10CF2), (0x118A0, 0x118DF),
    (0x1E900, 0x1E943),
]  # fmt: skip
texts = [text for text in read("hard-texts") if not any(0xD800 <= ord(c) <= 0xDFFF for c in text)][:: 4]
cases = {
    "gpt2": ("gpt2", metadata("gpt2", "gpt2", "gpt-2", bos_token_id=0, eos_token_id=0)),
    "qwen2": ("qwen2", metadata("qwen2", "gpt2", "qwen2", eos_token_id=2, padding_token_id=0, add_bos_token=False)),
    # As Phi-3, the only architecture whose space before the text transformers adds like llama.cpp and the original tokenizer.
    "llama": ("phi3", metadata("llama2", "llama", "default", bos_token_id=1, eos_token_id=2, unknown_token_id=0, add_bos_token=True)),
    "gemma4": ("llama", metadata("llama2", "gemma4", "gemma4", bos_token_id=1, eos_token_id=2, unknown_token_id=0, add_bos_token=True)),
}
cases["gemma4"][1]["tokenizer.ggml.merges"] = [" ".join(merge) for merge in read("encodings-llama2")["tokenizer"]["model"]["merges"]]


def ids(name, architecture, found):
    if name != "qwen2":
        return encoded(architecture, found, texts)
    return own_ids("qwen2")


def own_ids(name):
    golden = dict(zip(read("hard-texts"), read(f"encodings-{name}")["encodings"]))
    return [golden[text][0] for text in texts]


def bert():
    """As convert_hf_to_gguf.py spells the tokens: with a mark at the beginning of a word, not at its continuation."""
    found = metadata("word-piece", "bert", "default", unknown_token_id=1, padding_token_id=0, mask_token_id=4)
    types = found["tokenizer.ggml.token_type"]
    spelled = [
        token if kind == 3 else token[2:] if token.startswith("##") else "\u2581" + token
        for token, kind in zip(found["tokenizer.ggml.tokens"], types)
    ]
    roles = {"tokenizer.ggml.cls_token_id": 2, "tokenizer.ggml.seperator_token_id": 3, "tokenizer.ggml.token_type_count": 2}
    return {**{key: value for key, value in found.items() if key != "tokenizer.ggml.scores"}, "tokenizer.ggml.tokens": spelled, **roles}


def t5():
    file = read("encodings-t5")["tokenizer"]
    charsmap = base64.b64decode(file["normalizer"]["normalizers"][0]["precompiled_charsmap"])
    vocab = [(token, score) for token, score in file["model"]["vocab"] if token not in ("<pad>", "</s>", "<unk>")]
    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *vocab, *((f"<extra_id_{99 - i}>", 0.0) for i in range(100))]
    tokenizer = T5Tokenizer(vocab=vocab, _spm_precompiled_charsmap=charsmap)
    count = len(vocab) - 100
    found = {
        "general.architecture": "t5", "tokenizer.ggml.model": "t5", "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": [*(token for token, _ in vocab[:count]), *(f"[PAD{i}]" for i in range(100))],
        "tokenizer.ggml.scores": [*(score for _, score in vocab[:count]), *[-1000.0] * 100],
        "tokenizer.ggml.token_type": [3, 3, 2, *[1] * (count - 3), *[5] * 100],
        "tokenizer.ggml.add_space_prefix": True, "tokenizer.ggml.remove_extra_whitespaces": True,
        "tokenizer.ggml.precompiled_charsmap": [byte - 256 if byte > 127 else byte for byte in charsmap],
        "tokenizer.ggml.eos_token_id": 1, "tokenizer.ggml.unknown_token_id": 2, "tokenizer.ggml.padding_token_id": 0,
        "tokenizer.ggml.add_bos_token": False, "tokenizer.ggml.add_eos_token": True,
    }  # fmt: skip
    return found, [tokenizer(text)["input_ids"] for text in texts]


def sentence_piece():
    """A BPE model of SentencePiece with the settings of Llama 2, and its ids of texts without its control symbols."""
    model = io.BytesIO()
    with gzip.open(FOLDER.parents[2] / "examples/debian-sections/train.jsonl.gz", "rt", encoding="utf-8") as examples:
        lines = [json.loads(line)["text"] for line in examples][:400]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model, model_type="bpe", vocab_size=1200, byte_fallback=True, remove_extra_whitespaces=False,
        normalization_rule_name="identity", character_coverage=0.98, minloglevel=2,
    )  # fmt: skip
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    found = {
        "tokenizer.ggml.model": "llama", "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": [piece.piece for piece in proto.pieces], "tokenizer.ggml.scores": [piece.score for piece in proto.pieces],
        "tokenizer.ggml.token_type": [piece.type for piece in proto.pieces],
        "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.unknown_token_id": 0,
    }  # fmt: skip
    spaced = [" ", "  ", "   ", " Hello world", "  Hello", "   the whole", " (", " \n", "\n a", " 12 ", "the  whole", " \u2581x", " é 日本"]
    chosen = [*spaced, *(text for text in texts if "<" not in text and "\0" not in text)]
    return {"metadata": found, "texts": chosen, "ids": [[1, *processor.encode(text)] for text in chosen]}


SAID, GPT2 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)", r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
QWEN2 = SAID + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = QWEN2.replace(r"\p{N}|", r"\p{N}{1,3}|", 1)
QWEN35 = SAID + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


def o200k(digits):
    words = rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{SAID}?|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{SAID}?"
    return rf"{words}|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"


DEEPSEEK3 = [r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
             r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""]  # fmt: skip
WIDE = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
CASED = "".join(chr(c) for c in range(0x110000) if unicodedata_cased(c))
BLOOM = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+"
# Lists of expressions, after each of which the text is split; [...], None: followed by Falcon's or no bytes.
WORDS = {
    "llama-bpe": [LLAMA3], "falcon3": [LLAMA3], "dbrx": [LLAMA3], "glm4": [LLAMA3], "qwen2": [QWEN2], "qwen35": [QWEN35], "stablelm2": [QWEN2],
    "laguna": [r"[^\n]+|[\n]+", QWEN2], "ufakzeka": [QWEN2.removeprefix(SAID + "|")],
    "mpt": [GPT2], "olmo": [GPT2], "phi-2": [GPT2], "modern-bert": [GPT2], "jina-v2-code": [GPT2],
    "smollm": [r"\p{N}", GPT2], "codeshell": [r"\p{N}", GPT2], "gpt-4o": [o200k(r"\p{N}{1,3}")], "minimax-m2": [o200k(r"\p{N}{1,3}")],
    "deepseek-v3": DEEPSEEK3, "hunyuan-dense": DEEPSEEK3,
    "deepseek-coder": ["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", WIDE, r"\p{N}"],  # llama.cpp
    "deepseek-llm": ["[\r\n]", rf"\s?[{CASED}]+", "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+", r"\s+$", WIDE, r"\p{N}+"],  # llama.cpp
    "bloom": [BLOOM], "viking": [BLOOM, r"\p{N}"],  # llama.cpp
    "bailingmoe": [r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"],
    "seed-coder": [SAID + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"],
    "exaone-moe": [SAID + r"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"],
    "minicpm5": [r"\p{N}{1,3}", QWEN2.replace(r"\p{N}|", r"\p{N}+|", 1)],
    "spark2_5": [*DEEPSEEK3[:2], DEEPSEEK3[2].replace(r"[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+", r"[\p{P}\p{S}]+|[\r\n]"), r"\p{N}"],  # llama.cpp
    "youtu": ["[\uac00-\ud7a3\u3131-\u318e]+|[\uff01\u2026\u201c\u201d\u2018\u2019\u2014\uff1a\uff1b\uff0c\u3001-\u303f\ufe30-\ufe4f]+|[\u3105-\u312f]+|[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+", o200k(r"\p{N}")],  # llama.cpp
    "chameleon": ["<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", r"([\t\n]|    |  )", r"\p{N}", r"[\p{P}!-/:-@\[-`{-~]", GPT2],  # llama.cpp
    "falcon": None,
}  # fmt: skip


def words(name, expressions, chosen):
    steps = [pre_tokenizers.Split(Regex(expression), "isolated") for expression in expressions or []]
    steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False))
    if name == "falcon":
        steps = [pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
                 pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")]  # fmt: skip
    split = pre_tokenizers.Sequence(steps)
    normalize = normalizers.NFC().normalize_str if name in ("qwen2", "qwen35", "mpt", "olmo", "modern-bert") else str
    return [[len(word) for word, _ in split.pre_tokenize_str(normalize(text))] for text in chosen]


SPLIT = ["IMGIMGABZ <sentinel:12> a    b\t\nc", "1234567 12 3.14159", "don't WE'LL 'S it's", "中文，字。かな カナ 한글。", "a\r\n\r\n  b\n c", "fooBar HTTPServer eé\u0301x", *texts[::4]]
content = {
    "source": f"transformers {transformers.__version__}",
    "texts": texts,
    "cases": {
        **{name: {"metadata": found, "ids": ids(name, architecture, found)} for name, (architecture, found) in cases.items()},
        "bert": {"metadata": bert(), "ids": own_ids("word-piece")},
        "t5": dict(zip(["metadata", "ids"], t5())),
    },
    "sentencePiece": {"source": f"sentencepiece {sentencepiece.__version__}", **sentence_piece()},
    "words": {
        "source": f"tokenizers {tokenizers.__version__} (Rust)",
        "texts": SPLIT,
        "lengths": {name: words(name, expressions, SPLIT) for name, expressions in WORDS.items()},
    },
}
text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
(FOLDER / "gguf-tokenizers.json.gz").write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))
