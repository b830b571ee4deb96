"""Tokenizer files of older checkpoints, without a tokenizer.json, and the ids that transformers computes with them.

Needs transformers 5.23, tokenizers, sentencepiece and protobuf. Reads the output of encodings.py; writes
packages/text/golden/older-tokenizers.json.gz: by name, the files of a folder (binary ones in base64) and the ids of texts and pairs.
Marian is the slow tokenizer, which runs SentencePiece itself; the others are fast tokenizers that transformers converts.
"""
import base64
import gzip
import io
import json
import tempfile
from pathlib import Path

import sentencepiece
import transformers
from transformers import AutoTokenizer

FOLDER = Path(__file__).resolve().parents[2] / "packages/text/golden"


def read(name):
    return json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))


strings = [text for text in read("hard-texts") if not any(0xD800 <= ord(c) <= 0xDFFF for c in text) and "\0" not in text]
with gzip.open(FOLDER.parents[2] / "examples/debian-sections/train.jsonl.gz", "rt", encoding="utf-8") as lines:
    plain = [json.loads(line)["text"] for line in lines]
texts = strings[::7] + plain[400:450]
pairs = list(zip(texts[::40], texts[1::40]))


def trained(sentences, rule="identity", size=400, **more):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences), model_writer=model, vocab_size=size, normalization_rule_name=rule, minloglevel=2, **more
    )
    return model.getvalue()


def pieces_of(model):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    return [processor.id_to_piece(i) for i in range(processor.get_piece_size())]


def word_piece(config):
    vocabulary = read("encodings-word-piece")["tokenizer"]["model"]["vocab"]
    return {"vocab.txt": "".join(f"{token}\n" for token in sorted(vocabulary, key=vocabulary.get)), "tokenizer_config.json": config}


def byte_pairs(name, config):
    model = read(f"encodings-{name}")["tokenizer"]["model"]
    merges = "#version: 0.2\n" + "".join(" ".join(merge) + "\n" for merge in model["merges"])
    return {"vocab.json": model["vocab"], "merges.txt": merges, "tokenizer_config.json": config}


def marian():
    source, target = trained(plain[:400]), trained([text[::-1] for text in plain[:400]])
    tokens = ["</s>", "<unk>", *dict.fromkeys([p for m in (source, target) for p in pieces_of(m) if p[0] != "<" or p[-1] != ">"])]
    vocabulary = {token: i for i, token in enumerate([*tokens, ">>deu<<", "<pad>"])}
    config = {"source_lang": "eng", "target_lang": "deu", "tokenizer_class": "MarianTokenizer"}
    return {"source.spm": source, "target.spm": target, "vocab.json": vocabulary, "tokenizer_config.json": config}


MASK = {"mask_token": {"__type": "AddedToken", "content": "<mask>", "lstrip": True, "rstrip": False, "single_word": False, "normalized": False, "special": True}}
XLNET = {"control_symbols": "<cls>,<sep>,<pad>,<mask>,<eod>", "user_defined_symbols": "<eop>,.,(,),-,–,£,€"}
FOLDERS = {
    "bert": (word_piece({"do_lower_case": True}), {"model_type": "bert"}),
    "bert-cased": (word_piece({"do_lower_case": False, "tokenize_chinese_chars": False}), {"model_type": "bert"}),
    "distilbert": (word_piece({"tokenizer_class": "DistilBertTokenizer", "strip_accents": False}), {"model_type": "distilbert"}),
    "gpt2": (byte_pairs("gpt2", {}), {"model_type": "gpt2"}),
    "roberta": (byte_pairs("roberta", MASK), {"model_type": "roberta"}),
    "bart": (byte_pairs("roberta", {"add_prefix_space": True, **MASK}), {"model_type": "bart"}),
    "t5": ({"spiece.model": trained(plain[:400], "nmt_nfkc", pad_id=0, eos_id=1, unk_id=2, bos_id=-1)}, {"model_type": "t5"}),
    "albert": (
        {"spiece.model": trained(plain[:400], pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, control_symbols="[CLS],[SEP],[MASK]"), "tokenizer_config.json": {"do_lower_case": True}},
        {"model_type": "albert"},
    ),
    "xlm-roberta": ({"sentencepiece.bpe.model": trained(plain[:400]), "tokenizer_config.json": MASK}, {"model_type": "xlm-roberta"}),
    "xlnet": ({"spiece.model": trained(plain[:400], **XLNET), "tokenizer_config.json": {"padding_side": "left", **MASK}}, {"model_type": "xlnet"}),
    "llama": (
        {"tokenizer.model": trained(plain[:400], size=700, model_type="bpe", byte_fallback=True), "tokenizer_config.json": {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True}},
        {"model_type": "llama"},
    ),
    "marian": (marian(), {"model_type": "marian"}),
}


def encoded(name, files, config):
    with tempfile.TemporaryDirectory() as folder:
        for file, content in {**files, "config.json": config}.items():
            binary = content if isinstance(content, bytes) else (content if isinstance(content, str) else json.dumps(content)).encode()
            (Path(folder) / file).write_bytes(binary)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        found = {"class": type(tokenizer).__name__, "ids": [tokenizer(text)["input_ids"] for text in texts]}
        found["pairs"] = [tokenizer(a, b)["input_ids"] for a, b in pairs]
        found["special"] = {role: tokenizer.convert_tokens_to_ids(getattr(tokenizer, f"{role}_token")) for role in ("pad", "unk", "mask") if getattr(tokenizer, f"{role}_token")}
        if name == "marian":
            found["targets"] = [tokenizer(text_target=text)["input_ids"] for text in texts]
        return found


cases = [
    {
        "name": name,
        "files": {file: {"base64": base64.b64encode(content).decode()} if isinstance(content, bytes) else content for file, content in {**files, "config.json": config}.items()},
        **encoded(name, files, config),
    }
    for name, (files, config) in FOLDERS.items()
]
content = {"source": f"transformers {transformers.__version__}", "texts": texts, "pairs": pairs, "cases": cases}
text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
(FOLDER / "older-tokenizers.json.gz").write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))
