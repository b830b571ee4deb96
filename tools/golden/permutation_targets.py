"""
How often transformers' collator predicts each position of a text, and how many positions it predicts.

Needs torch and transformers; writes plugins/objective-permutation-language-modeling/golden/collator.json.
"""
import json
from pathlib import Path
from types import SimpleNamespace

import torch
import transformers
from transformers import DataCollatorForPermutationLanguageModeling

FOLDER = Path(__file__).resolve().parents[2] / "plugins/objective-permutation-language-modeling/golden"
LENGTH, TEXTS, BATCH = 40, 40_000, 1_000
PAD, MASK, SPECIAL = 0, 1, 2

# The first and the last token are special: begin and end of the text.
text = torch.tensor([SPECIAL, *range(10, 8 + LENGTH), SPECIAL])
tokenizer = SimpleNamespace(
    mask_token="<mask>",
    mask_token_id=MASK,
    pad_token="<pad>",
    pad_token_id=PAD,
    get_special_tokens_mask=lambda ids, already_has_special_tokens: [int(i == SPECIAL) for i in ids],
)
collator = DataCollatorForPermutationLanguageModeling(tokenizer)

torch.manual_seed(1)
places, counts = torch.zeros(LENGTH, dtype=torch.long), torch.zeros(LENGTH, dtype=torch.long)
for _ in range(TEXTS // BATCH):
    _ids, _mask, _mapping, labels = collator.torch_mask_tokens(text.repeat(BATCH, 1))
    chosen = labels != -100
    places += chosen.sum(0)
    counts += torch.bincount(chosen.sum(1), minlength=LENGTH)

FOLDER.mkdir(exist_ok=True)
golden = {
    "source": f"transformers {transformers.__version__}",
    "probability": 1 / 6,
    "spanLength": collator.max_span_length,
    "length": LENGTH,
    "texts": TEXTS,
    "textsWithTargetAtPlace": places.tolist(),
    "textsWithSoManyTargets": counts.tolist(),
}
(FOLDER / "collator.json").write_text(json.dumps(golden) + "\n")
