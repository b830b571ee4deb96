"""Adapters that peft saved for the golden cases of the tiny BERT and the tiny GPT-2, to be loaded by the adapters of the LoRA family.

For each variant and case, writes under plugins/adapter-<variant>/golden/<plugin>/saved/

  adapter_config.json, adapter_model.safetensors   by PeftModel.save_pretrained
  golden.json                                      the case, and the logits of its batches, in float64

BERT's adapter also has a trained classifier, and targets that are suffixes of names; GPT-2's LoRA is rank-stabilized and stored in
float16. rsLoRA and DoRA have layers of other ranks and alphas. PiSSA is converted to LoRA in `saved`, and as it is trained in `raw`.
`peft_adapters.py VARIANT …` writes only those. Needs torch, transformers, peft and safetensors.
"""
import json
import sys
import tempfile

import peft
import torch
from lora import VARIANTS, exactly, randomize, theirs
from model_parity import ROOT, SOURCE, array
from peft import LoraConfig, TaskType, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

CASES = [
    ("bert", "classification", AutoModelForSequenceClassification, TaskType.SEQ_CLS, ["query", "value", "output.dense"], False),
    ("gpt2", "lm", AutoModelForCausalLM, TaskType.CAUSAL_LM, ["c_attn", "c_proj"], True),
]
PATTERNS = {
    "bert": {"rank_pattern": {"value": 2, "layer.0.output.dense": 4}, "alpha_pattern": {"layer.1.attention.self.query": 9}},
    "gpt2": {"rank_pattern": {"c_attn": 5}, "alpha_pattern": {"h.1.mlp.c_proj": 2}},
}


def write(variant, plugin, case, cls, task, targets, half, converts=True):
    torch.manual_seed(11)
    stabilised = half and variant == "lora"
    source = ROOT / f"plugins/model-{plugin}/golden/{case}"
    folder = ROOT / f"plugins/adapter-{variant}/golden/{plugin}" / ("saved" if converts else "raw")
    folder.mkdir(parents=True, exist_ok=True)
    base = cls.from_pretrained(source, attn_implementation="eager", dtype=torch.float32).eval()
    config = LoraConfig(
        r=3,
        lora_alpha=5,
        target_modules=targets,
        task_type=task,
        lora_dropout=0.1,
        **({"use_rslora": stabilised} | VARIANTS[variant]),
        **(PATTERNS[plugin] if variant in ("rslora", "dora") else {}),
        fan_in_fan_out=plugin == "gpt2",
    )
    model = get_peft_model(base, config).eval()
    initial = f"{tempfile.mkdtemp()}/initial"
    if variant == "pissa" and converts:
        model.peft_config["default"].init_lora_weights = True
        model.save_pretrained(initial)
        model.peft_config["default"].init_lora_weights = "pissa"
    with torch.no_grad():
        for name, p in model.named_parameters():
            # peft's conversion drops `modules_to_save`: the head of that case stays the model's own.
            if p.requires_grad and ("lora" in name or not (variant == "pissa" and converts)):
                p.copy_(randomize(name, p, 0.3 if variant == "lora" else 0.15) + (p if variant == "pissa" and "lora" in name else 0))
            if stabilised and p.requires_grad:
                p.copy_(p.half().float())
    conversion = {"path_initial_model_for_weight_conversion": initial} if variant == "pissa" and converts else {}
    model.save_pretrained(folder, **conversion)
    (folder / "README.md").unlink(missing_ok=True)
    weights = folder / "adapter_model.safetensors"
    if stabilised:
        save_file({name: p.half() for name, p in load_file(weights).items()}, weights)
    saved = json.loads((folder / "adapter_config.json").read_text())
    saved["base_model_name_or_path"] = f"plugins/model-{plugin}/golden/{case}"
    (folder / "adapter_config.json").write_text(json.dumps(saved, indent=2))
    weights.chmod(0o644)
    batches = [theirs(example["batch"]) for example in json.loads((source / "golden.json").read_text())["examples"]]
    with torch.no_grad():
        logits = [array(model.double()(**batch).logits) for batch in batches]
    golden = {"source": f"peft {peft.__version__}, {SOURCE}", "case": saved["base_model_name_or_path"], "logits": logits}
    (folder / "golden.json").write_text(json.dumps(golden, allow_nan=False))
    print(variant, plugin, sorted(load_file(weights))[:3])


if __name__ == "__main__":
    exactly()
    for chosen in sys.argv[1:] or VARIANTS:
        for each in CASES:
            write(chosen, *each)
            if chosen == "pissa":
                write(chosen, *each, converts=False)
