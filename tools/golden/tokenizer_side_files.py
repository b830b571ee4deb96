"""Files beside a tokenizer.json: ids, decoded texts, special tokens and sides with transformers.

Needs transformers and tokenizers. Writes packages/text/golden/tokenizer-side-files.json.gz: the files of each folder, and what the class
PreTrainedTokenizerFast, or the named one, makes of them.
"""
import gzip
import json
import tempfile
from pathlib import Path

import transformers
from transformers import BertTokenizerFast, GPT2TokenizerFast, PreTrainedTokenizerFast

FOLDER = Path(__file__).resolve().parents[2] / "packages/text/golden"
TEXTS = ["ab <tool>", "ab<tool>ba", "a  <tool>  b", "<tool><TOOL> Tool", "<pad> <s>a</s>", "b <mask> a", " a</s>", "<x> b<y>", "a .", "A Bab", "", "<cls>a<sep>"]
ROLES = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"]


def added(token, content, **flags):
    return {"id": token, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **flags}


BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
ALPHABET = ["a", "b", "Ġ", "<", "t", "o", "l", ">", ".", "A", "B", "s", "/", "T", "O", "L", "p", "d", "m", "k", "x", "y", "c", "e", "<unk>"]
FILE = {
    "version": "1.0", "truncation": None, "padding": None, "added_tokens": [added(25, "</s>"), added(26, "<mask>", normalized=True)], "normalizer": None,
    "pre_tokenizer": BYTE_LEVEL, "post_processor": None, "decoder": BYTE_LEVEL,
    "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
              "byte_fallback": False, "ignore_merges": False, "vocab": {token: index for index, token in enumerate(ALPHABET)}, "merges": ["a b"]},
}  # fmt: skip
FILE["model"]["vocab"]["ab"] = len(ALPHABET)
FILE["added_tokens"][0]["id"], FILE["added_tokens"][1]["id"] = 26, 27
WORDS = {**FILE, "pre_tokenizer": {"type": "WhitespaceSplit"}, "decoder": None, "added_tokens": [added(3, "</s>")],
         "model": {"type": "WordLevel", "vocab": {"<unk>": 0, "a": 1, ".": 2}, "unk_token": "<unk>"}}  # fmt: skip
ENDS = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
TEMPLATE = {"type": "TemplateProcessing", "single": ENDS, "pair": [*ENDS, {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
            "special_tokens": {token: {"id": token, "ids": [index], "tokens": [token]} for token, index in [("[CLS]", 2), ("[SEP]", 3)]}}  # fmt: skip
BERT = {**FILE, "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"}, "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True}, "post_processor": TEMPLATE,
        "added_tokens": [added(index, token) for index, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])],
        "model": {"type": "WordPiece", "vocab": {token: index for index, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "A", "##b", "B", "b", "."])},
                  "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100}}  # fmt: skip
TOOL = {"content": "<tool>", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
truncation = {"direction": "Left", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
padding = {"strategy": "BatchLongest", "direction": "Left", "pad_to_multiple_of": None, "pad_id": 26, "pad_type_id": 0, "pad_token": "</s>"}
lowercase = {**FILE, "normalizer": {"type": "Lowercase"}}

CASES = {
    "a token in added_tokens_decoder": (FILE, {"added_tokens_decoder": {"28": TOOL}, "eos_token": "</s>"}, {}),
    "a token with another id": (FILE, {"added_tokens_decoder": {"40": TOOL}}, {}),
    "tokens in the order of their ids": (FILE, {"added_tokens_decoder": {"30": {**TOOL, "content": "<x>"}, "29": TOOL, "9": {**TOOL, "content": "<y>"}}}, {}),
    "a token without flags": (lowercase, {"added_tokens_decoder": {"28": {"content": "<tool>"}}}, {}),
    "a special token without flags": (lowercase, {"added_tokens_decoder": {"28": {"content": "<tool>", "special": True}}}, {}),
    "a normalized token": (lowercase, {"added_tokens_decoder": {"28": {**TOOL, "content": "<TOOL>", "normalized": True}}}, {}),
    "flags that differ from the file's": (FILE, {"added_tokens_decoder": {"26": {**TOOL, "content": "</s>", "lstrip": True}, "27": {**TOOL, "content": "<mask>", "special": False}}}, {}),
    "a token that strips": (FILE, {"added_tokens_decoder": {"28": {**TOOL, "lstrip": True, "rstrip": True}}}, {}),
    "a token that is not special": (FILE, {"added_tokens_decoder": {"28": {**TOOL, "special": False}}}, {}),
    "a role of a token that is not special": (FILE, {"added_tokens_decoder": {"28": {**TOOL, "special": False}}, "pad_token": "<tool>"}, {}),
    "a token of the vocabulary": (FILE, {"added_tokens_decoder": {"26": {**TOOL, "content": "</s>"}, "0": {**TOOL, "content": "a"}}}, {}),
    "a role outside the vocabulary": (FILE, {"pad_token": "<pad>", "bos_token": "<s>"}, {}),
    "a role of a token of the vocabulary": (FILE, {"unk_token": "<unk>", "sep_token": "b"}, {}),
    "more special tokens": (FILE, {"additional_special_tokens": ["<tool>", "</s>"]}, {}),
    "extra special tokens": (FILE, {"extra_special_tokens": ["<tool>", "<x>"]}, {}),
    "extra special tokens with names": (FILE, {"extra_special_tokens": {"image_token": "<tool>", "x_token": "<x>"}}, {}),
    "a special token of a model": (FILE, {"image_token": "<tool>"}, {}),
    "special_tokens_map.json": (FILE, {}, {"special_tokens_map.json": {"pad_token": "<pad>", "mask_token": "<mask>", "additional_special_tokens": ["<tool>"]}}),
    "special_tokens_map.json with flags": (FILE, {}, {"special_tokens_map.json": {"pad_token": {"content": "<tool>", "lstrip": True, "normalized": False, "rstrip": False, "single_word": False}}}),
    "special_tokens_map.json against tokenizer_config.json": (FILE, {"pad_token": "<x>"}, {"special_tokens_map.json": {"pad_token": "<y>"}}),
    "special_tokens_map.json beside added_tokens_decoder": (FILE, {"added_tokens_decoder": {"28": TOOL}}, {"special_tokens_map.json": {"pad_token": "<y>"}}),
    "added_tokens.json": (FILE, {}, {"added_tokens.json": {"<x>": 29, "<tool>": 28, "</s>": 26}}),
    "added_tokens.json with a role": (lowercase, {"pad_token": "<TOOL>"}, {"added_tokens.json": {"<TOOL>": 28, "<X>": 29}}),
    "added_tokens.json beside added_tokens_decoder": (FILE, {"added_tokens_decoder": {"28": TOOL}}, {"added_tokens.json": {"<x>": 29}}),
    "no tokenizer_config.json": (FILE, None, {"special_tokens_map.json": {"eos_token": "</s>"}, "added_tokens.json": {"<tool>": 28}}),
    "added_tokens.json with ids that are taken": (FILE, {}, {"added_tokens.json": {"<x>": 26, "<tool>": 28}}),
    "a role of a token of the file": ({**FILE, "added_tokens": [*FILE["added_tokens"], added(28, "<tool>", special=False)]}, {"pad_token": "<tool>"}, {}),
    "a role of a token without flags": (lowercase, {"added_tokens_decoder": {"28": {"content": "<tool>"}}, "pad_token": "<tool>"}, {}),
    "special tokens in both files": (FILE, {"additional_special_tokens": ["<x>"]}, {"special_tokens_map.json": {"additional_special_tokens": ["<tool>"]}}),
    "clean_up_tokenization_spaces": (WORDS, {"clean_up_tokenization_spaces": True}, {}),
    "no clean_up_tokenization_spaces": (WORDS, {"clean_up_tokenization_spaces": False}, {}),
    "clean_up_tokenization_spaces of BPE": (FILE, {"clean_up_tokenization_spaces": True}, {}),
    "sides": (FILE, {"padding_side": "left", "truncation_side": "left"}, {}),
    "truncation and padding in the file": ({**FILE, "truncation": truncation, "padding": padding}, {}, {}),
    "truncation and padding in both": ({**FILE, "truncation": truncation, "padding": padding}, {"padding_side": "right", "truncation_side": "right", "pad_token": "<mask>"}, {}),
    "split_special_tokens beside a token inside of one": (FILE, {"added_tokens_decoder": {"28": {**TOOL, "content": "a", "special": False}, "29": {**TOOL, "content": "ab"}}, "split_special_tokens": True}, {}),
    "split_special_tokens": (FILE, {"split_special_tokens": True}, {}),
    "add_bos_token and add_eos_token": (FILE, {"add_bos_token": True, "add_eos_token": True, "bos_token": "</s>", "eos_token": "</s>"}, {}),
    "model_max_length": (FILE, {"model_max_length": 2}, {}),
    "BertTokenizerFast": (BERT, {"do_lower_case": True}, {}),
    "BertTokenizerFast, cased": (BERT, {"do_lower_case": False}, {}),
    "BertTokenizerFast, cased, with accents": (BERT, {"do_lower_case": False, "strip_accents": True, "tokenize_chinese_chars": False}, {}),
    "BertTokenizerFast of a vocab.txt with added_tokens.json": (None, {"do_lower_case": True}, {"vocab.txt": "\n".join([*BERT["model"]["vocab"], ""]), "added_tokens.json": {"<x>": 13, "<tool>": 11, "<y>": 12}}),
    "GPT2TokenizerFast with a space": (FILE, {"add_prefix_space": True, "bos_token": "</s>", "eos_token": "</s>", "unk_token": "</s>"}, {}),
}  # fmt: skip


def made(name, content, config, others):
    kind = {"Bert": BertTokenizerFast, "GPT2": GPT2TokenizerFast}.get(name.split("Tok")[0], PreTrainedTokenizerFast)
    if kind is not PreTrainedTokenizerFast:
        roles = {"unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "pad": "[PAD]", "mask": "[MASK]"} if name.startswith("Bert") else {}
        config = {**{f"{role}_token": token for role, token in roles.items()}, "tokenizer_class": kind.__name__ if kind.__name__.endswith("Fast") else f"{kind.__name__}Fast", **config}
    files = {**({} if content is None else {"tokenizer.json": content}), **({} if config is None else {"tokenizer_config.json": config}), **others}
    with tempfile.TemporaryDirectory() as folder:
        for file, value in files.items():
            Path(folder, file).write_text(value if isinstance(value, str) else json.dumps(value))
        tokenizer = kind.from_pretrained(folder)
    ids = [tokenizer(text)["input_ids"] for text in TEXTS]
    return {
        "name": name,
        "files": files,
        "ids": ids,
        "decoded": [tokenizer.decode(each, skip_special_tokens=True) for each in ids],
        "size": len(tokenizer),
        "special": {role: getattr(tokenizer, f"{role}_token_id") for role in ROLES if getattr(tokenizer, f"{role}_token") is not None},
        "paddingSide": tokenizer.padding_side.lower(),
        "truncationSide": tokenizer.truncation_side.lower(),
    }


content = {"source": f"transformers {transformers.__version__}", "texts": TEXTS, "cases": [made(name, *case) for name, case in CASES.items()]}
text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
(FOLDER / "tokenizer-side-files.json.gz").write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))
