"""Golden values of the LoRA family: the variants of peft's LoRA on the golden cases of the tiny BERT and the tiny GPT-2.

For each variant and case, writes under plugins/adapter-<variant>/golden/<plugin>/

  golden.json             the case, the options, logits and losses of its batches, learning rates
  start.safetensors       tensors of the adapter, random so that none is zero; for PiSSA, moved from its initialization
  gradients.safetensors   gradients of the mean loss of the first batch, for all trainable parameters
  trained.safetensors     trainable parameters after five steps of AdamW; NaN for values that depend on rounding
  merged.safetensors      all base weights with the adapter of `start` merged

Everything is computed in float64 from float32 weights. `lora.py VARIANT …` writes only those. Needs torch, transformers, peft and safetensors.
"""
import copy
import json
import re
import sys

import peft
import torch
from model_parity import DECAY, RATE, ROOT, SOURCE, WARMUP, array, tensors, train
from peft import LoraConfig, TaskType, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

CASES = [
    ("bert", "classification", AutoModelForSequenceClassification, TaskType.SEQ_CLS, ["query", "value", "output.dense"], 3, 12),
    ("gpt2", "lm", AutoModelForCausalLM, TaskType.CAUSAL_LM, ["c_attn", "c_proj"], 4, 2),
]


VARIANTS = {"lora": {}, "rslora": {"use_rslora": True}, "dora": {"use_dora": True}, "pissa": {"init_lora_weights": "pissa"}}


def plain(name):
    """A parameter's name without peft's prefixes and suffixes."""
    name = name.removesuffix(".default.weight") if "lora_magnitude_vector" in name else name
    return re.sub(r"\.(default|modules_to_save\.default|base_layer)(?=\.)", "", name.removeprefix("base_model.model."))


def exactly(svd=torch.linalg.svd):
    """Makes PiSSA's SVD exact: in float32, as peft computes it, the weights of the tiny GPT-2 would be off by 8e-6."""

    def in_float64(matrix, **options):
        return tuple(part.to(matrix.dtype) for part in svd(matrix.double(), **options))

    torch.linalg.svd = in_float64


def given(tree):
    dtype = torch.long if tree["dtype"] == "int32" else torch.float64
    return torch.tensor(tree["values"], dtype=dtype).reshape(tree["shape"])


def theirs(batch):
    ids, mask = (given(batch["inputs"][name]) for name in ("inputIds", "attentionMask"))
    labels = given(batch["labels"]) if "labels" in batch else torch.where(mask == 1, ids, torch.full_like(ids, -100))
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def randomize(name, p, scale):
    """A random tensor of an adapter: magnitudes stay near those of the weights, PiSSA's factors near the principal components."""
    if "lora_magnitude_vector" in name:
        return p * (1 + scale * torch.randn_like(p))
    return scale * torch.randn_like(p)


def write(variant, plugin, case, cls, task, targets, rank, alpha):
    torch.manual_seed(7)
    source = ROOT / f"plugins/model-{plugin}/golden/{case}"
    folder = ROOT / f"plugins/adapter-{variant}/golden/{plugin}"
    folder.mkdir(parents=True, exist_ok=True)
    base = cls.from_pretrained(source, attn_implementation="eager", dtype=torch.float32).eval()
    options = {"r": rank, "lora_alpha": alpha, "target_modules": targets, "task_type": task, "lora_dropout": 0.0}
    model = get_peft_model(base, LoraConfig(**options, **VARIANTS[variant], fan_in_fan_out=plugin == "gpt2")).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_" in name:
                p.copy_(randomize(name, p, 0.3) + (p if variant == "pissa" else 0))
    model = model.double()
    trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    save_file(tensors((plain(n), p) for n, p in trained if "lora_" in n), folder / "start.safetensors")
    merged = copy.deepcopy(model).merge_and_unload()
    save_file(tensors(merged.named_parameters()), folder / "merged.safetensors")
    batches = [theirs(example["batch"]) for example in json.loads((source / "golden.json").read_text())["examples"]]
    outputs = [model(**batch) for batch in batches]
    outputs[0].loss.backward()
    save_file(tensors((plain(n), p.grad) for n, p in trained), folder / "gradients.safetensors")
    model.named_parameters = lambda: iter(trained)
    rates, losses, noisy = train(model, batches)
    after = {plain(n): p.detach().masked_fill(noisy[n], float("nan")) for n, p in trained}
    save_file(tensors(after.items()), folder / "trained.safetensors")
    for file in folder.glob("*.safetensors"):
        file.chmod(0o644)
    golden = {
        "source": f"peft {peft.__version__}, {SOURCE}",
        "case": f"plugins/model-{plugin}/golden/{case}",
        "options": {"rank": rank, "alpha": alpha, "targets": targets},
        "examples": [{"logits": array(o.logits), "loss": o.loss.item()} for o in outputs],
        "training": {"warmupSteps": WARMUP, "learningRate": RATE, "weightDecay": DECAY, "rates": rates, "losses": losses},
    }
    (folder / "golden.json").write_text(json.dumps(golden, allow_nan=False))
    print(variant, plugin, case, sorted(after))


if __name__ == "__main__":
    exactly()
    for chosen in sys.argv[1:] or VARIANTS:
        for each in CASES:
            write(chosen, *each)
