"""Adapters that peft saved for the golden cases of the tiny BERT and the tiny GPT-2, to be loaded by plugins/adapter-lora.

For each case, writes under plugins/adapter-lora/golden/<plugin>/saved/

  adapter_config.json, adapter_model.safetensors   by PeftModel.save_pretrained
  golden.json                                      the case, and the logits of its batches, in float64

BERT's adapter also has a trained classifier, and targets that are suffixes of names; GPT-2's is rank-stabilized and stored in float16.
Needs torch, transformers, peft and safetensors.
"""
import json

import peft
import torch
from lora import theirs
from model_parity import ROOT, SOURCE, array
from peft import LoraConfig, TaskType, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

CASES = [
    ("bert", "classification", AutoModelForSequenceClassification, TaskType.SEQ_CLS, ["query", "value", "output.dense"], False),
    ("gpt2", "lm", AutoModelForCausalLM, TaskType.CAUSAL_LM, ["c_attn", "c_proj"], True),
]


def write(plugin, case, cls, task, targets, stabilised):
    torch.manual_seed(11)
    source = ROOT / f"plugins/model-{plugin}/golden/{case}"
    folder = ROOT / f"plugins/adapter-lora/golden/{plugin}/saved"
    folder.mkdir(parents=True, exist_ok=True)
    base = cls.from_pretrained(source, attn_implementation="eager", dtype=torch.float32).eval()
    config = LoraConfig(
        r=3,
        lora_alpha=5,
        target_modules=targets,
        task_type=task,
        lora_dropout=0.1,
        use_rslora=stabilised,
        fan_in_fan_out=plugin == "gpt2",
    )
    model = get_peft_model(base, config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.requires_grad:
                p.copy_(0.3 * torch.randn_like(p))
            if stabilised and p.requires_grad:
                p.copy_(p.half().float())
    model.save_pretrained(folder)
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
    print(plugin, sorted(load_file(weights))[:3])


if __name__ == "__main__":
    for each in CASES:
        write(*each)
