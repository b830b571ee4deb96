"""Small BPE tokenizers modeled on well-known ones, trained with the Rust tokenizers library, and their encodings.

Needs tokenizers. Reads examples/debian-sections/train.jsonl.gz; writes plugins/tokenizer-bpe/golden/<name>.json:
a tokenizer.json, a tokenizer_config.json and encodings of hard, synthetic and real texts.
"""
import gzip
import json
import random
from pathlib import Path

import tokenizers
from hard_texts import HARD, made_up
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "plugins/tokenizer-bpe/golden"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
with gzip.open(ROOT / "examples/debian-sections/train.jsonl.gz", "rt", encoding="utf-8") as lines:
    texts = [json.loads(line)["text"] for line in lines][:150]
CODE = ["def f(x):\n    return x**2  # it's\n", "I'll you're WE'VE 12345 3.14\r\n\r\n  x", "\tindent\n\n\n   end   ", "a\u00a0b  c"]


def trained(tokenizer, special, alphabet=()):
    trainer = trainers.BpeTrainer(
        vocab_size=1200, min_frequency=2, special_tokens=special, initial_alphabet=list(alphabet), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def gpt2():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trained(tokenizer, ["<|endoftext|>"], pre_tokenizers.ByteLevel.alphabet())
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer, {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}


def roberta():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    mask = AddedToken("<mask>", lstrip=True, special=True)
    trained(tokenizer, ["<s>", "<pad>", "</s>", "<unk>", mask], pre_tokenizers.ByteLevel.alphabet())
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"}
    return tokenizer, names


def llama3():
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(LLAMA3), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trained(tokenizer, ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"], pre_tokenizers.ByteLevel.alphabet())
    template = processors.TemplateProcessing(
        single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1", special_tokens=[("<|begin_of_text|>", 0)]
    )
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=True), template])
    chat = "{% for m in messages %}{{ m.role }}: {{ m.content }}<|eot_id|>{% endfor %}"
    return tokenizer, {"bos_token": "<|begin_of_text|>", "eos_token": {"content": "<|end_of_text|>"}, "chat_template": chat}


def case(tokenizer, text, pair=None, maximum_length=None):
    tokenizer.no_truncation()
    if maximum_length is not None:
        tokenizer.enable_truncation(maximum_length)
    encoding = tokenizer.encode(text, pair)
    given = {"text": text, "pair": pair, "maximumLength": maximum_length}
    return {**{k: v for k, v in given.items() if v is not None}, "ids": encoding.ids, "typeIds": encoding.type_ids}


FOLDER.mkdir(parents=True, exist_ok=True)
for name, make in [("gpt2", gpt2), ("roberta", roberta), ("llama3", llama3)]:
    generator = random.Random(13)
    tokenizer, config = make()
    strings = [text for text in HARD if len(text) < 400] + CODE + [made_up(generator) for _ in range(250)]
    golden = [case(tokenizer, text) for text in strings + texts[:15]]
    pick = lambda: generator.choice(strings + texts)
    golden += [case(tokenizer, pick(), pick(), generator.choice([None, 5, 8, 16, 33])) for _ in range(40)]
    golden += [case(tokenizer, text, None, generator.choice([2, 3, 7, 20])) for text in texts[:10]]
    written = {
        "source": f"tokenizers {tokenizers.__version__}",
        "tokenizer": {**json.loads(tokenizer.to_str()), "truncation": None},
        "config": {"tokenizer_class": "PreTrainedTokenizerFast", **config},
        "encodings": golden,
    }
    (FOLDER / f"rust-{name}.json").write_text(json.dumps(written, ensure_ascii=True))
