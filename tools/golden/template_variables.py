"""Special tokens as variables of a chat template, rendered by transformers for several tokenizer_config.json.

Run from the root: python tools/golden/template_variables.py
"""

import json
import tempfile
from pathlib import Path

import transformers
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer

OUT = Path("packages/cli/golden/template-variables.json")
NAMES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]
TEMPLATE = "".join(f"{{% if {name} is defined %}}<{name}={{{{ {name} }}}}>{{% endif %}}" for name in NAMES)
ADDED = {"content": "<s>", "lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": True}
CONFIGS = {
    "none": {},
    "end only": {"eos_token": "</s>"},
    "null": {"bos_token": None, "eos_token": "</s>", "pad_token": None},
    "an object": {"bos_token": {"__type": "AddedToken", **ADDED}, "unk_token": "<unk>"},
    "those of a classifier": {"cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>", "pad_token": "<pad>"},
    "all": dict(zip(NAMES, ["<s>", "</s>", "<unk>", "</s>", "<pad>", "<s>", "<mask>"])),
}

tokens = ["<unk>", "<s>", "</s>", "<pad>", "<mask>", "a"]
tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, [], unk_token="<unk>"))
tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
cases = {}
for name, config in CONFIGS.items():
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save(f"{folder}/tokenizer.json")
        settings = {"tokenizer_class": "PreTrainedTokenizerFast", **config}
        Path(folder, "tokenizer_config.json").write_text(json.dumps(settings))
        loaded = AutoTokenizer.from_pretrained(folder)
        text = loaded.apply_chat_template([{"role": "user", "content": "a"}], chat_template=TEMPLATE, tokenize=False)
        cases[name] = {"config": settings, "text": text}
golden = {
    "source": f"transformers {transformers.__version__}",
    "template": TEMPLATE,
    "tokenizer": json.loads(tokenizer.to_str()),
    "cases": cases,
}
OUT.write_text(json.dumps(golden, ensure_ascii=False) + "\n")
print({name: case["text"] for name, case in cases.items()})
