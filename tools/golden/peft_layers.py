"""Golden values for plugins/adapter-adalora, adapter-ia3 and adapter-vera: peft's adapters on golden cases of tiny models.

For each case, writes under plugins/adapter-<method>/golden/<plugin>/

  adapter_config.json, adapter_model.safetensors   by PeftModel.save_pretrained, random so that no tensor has its initial values
  golden.json                                      the case, its options, and the logits and losses of its batches, in float64
  gradients.safetensors                            gradients of the mean loss of the first batch, for all trainable parameters
  merged.safetensors                               all base weights with the adapter merged

Needs torch, transformers, peft and safetensors. Usage: peft_layers.py METHOD...
"""
import copy
import json
import sys

import peft
import torch
from lora import plain, theirs
from model_parity import ROOT, SOURCE, array, tensors
from peft import AdaLoraConfig, IA3Config, TaskType, VeraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

CLASSIFIER = (AutoModelForSequenceClassification, TaskType.SEQ_CLS)
LM = (AutoModelForCausalLM, TaskType.CAUSAL_LM)
VERA = {
    "bert": {"rank": 5, "targets": ["query", "output.dense"]},
    "gpt2": {"rank": 4, "targets": ["c_attn", "c_proj"]},
    "llama": {"rank": 6, "targets": ["q_proj", "v_proj", "down_proj"]},
}
ADALORA = {"target_r": 2, "total_step": 1, "orth_reg_weight": 0}
CASES = {
    "adalora": [
        (
            "bert",
            "classification",
            *CLASSIFIER,
            AdaLoraConfig,
            {"init_r": 4, "lora_alpha": 5, "target_modules": ["query", "output.dense"], **ADALORA},
            {"initialRank": 4, "alpha": 5, "targets": ["query", "output.dense"]},
        ),
        (
            "gpt2",
            "lm",
            *LM,
            AdaLoraConfig,
            {"init_r": 3, "lora_alpha": 16, "target_modules": ["c_attn", "c_proj"], **ADALORA},
            {"initialRank": 3, "targets": ["c_attn", "c_proj"]},
        ),
    ],
    "ia3": [
        (
            "bert",
            "classification",
            *CLASSIFIER,
            IA3Config,
            {"target_modules": ["key", "value", "intermediate.dense"], "feedforward_modules": ["intermediate.dense"]},
            {"targets": ["key", "value"], "feedforward": ["intermediate.dense"]},
        ),
        ("gpt2", "lm", *LM, IA3Config, {"target_modules": ["c_attn", "mlp.c_proj"], "feedforward_modules": ["mlp.c_proj"]}, {}),
        ("llama", "llama", *LM, IA3Config, {"target_modules": ["k_proj", "v_proj", "down_proj"], "feedforward_modules": ["down_proj"]}, {}),
    ],
    "vera": [
        ("bert", "classification", *CLASSIFIER, VeraConfig, {"r": 5, "target_modules": ["query", "output.dense"]}, VERA["bert"]),
        ("gpt2", "lm", *LM, VeraConfig, {"r": 4, "target_modules": ["c_attn", "c_proj"]}, VERA["gpt2"]),
        ("llama", "llama", *LM, VeraConfig, {"r": 6, "target_modules": ["q_proj", "v_proj", "down_proj"]}, VERA["llama"]),
    ],
}


def write(method, plugin, case, cls, task, config, theirs_options, options):
    torch.manual_seed(13)
    source = ROOT / f"plugins/model-{plugin}/golden/{case}"
    folder = ROOT / f"plugins/adapter-{method}/golden/{plugin}"
    folder.mkdir(parents=True, exist_ok=True)
    base = cls.from_pretrained(source, attn_implementation="eager", dtype=torch.float32).eval()
    model = get_peft_model(base, config(task_type=task, fan_in_fan_out=plugin == "gpt2", **theirs_options)).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.requires_grad:
                p.add_(0.3 * torch.randn_like(p))
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    saved = json.loads((folder / "adapter_config.json").read_text())
    saved["base_model_name_or_path"] = f"plugins/model-{plugin}/golden/{case}"
    (folder / "adapter_config.json").write_text(json.dumps(saved, indent=2))
    model = model.double()
    save_file(tensors(copy.deepcopy(model).merge_and_unload().named_parameters()), folder / "merged.safetensors")
    batches = [theirs(example["batch"]) for example in json.loads((source / "golden.json").read_text())["examples"]]
    outputs = [model(**batch) for batch in batches]
    outputs[0].loss.backward()
    trained = [(plain(n), p.grad) for n, p in model.named_parameters() if p.requires_grad]
    save_file(tensors((n.removesuffix(".default"), g) for n, g in trained), folder / "gradients.safetensors")
    for file in folder.glob("*.safetensors"):
        file.chmod(0o644)
    golden = {
        "source": f"peft {peft.__version__}, {SOURCE}",
        "case": saved["base_model_name_or_path"],
        "options": options,
        "examples": [{"logits": array(o.logits), "loss": o.loss.item()} for o in outputs],
    }
    (folder / "golden.json").write_text(json.dumps(golden, allow_nan=False))
    print(method, plugin, [n for n, _ in trained][:3])


if __name__ == "__main__":
    for method in sys.argv[1:] or CASES:
        for each in CASES[method]:
            write(method, *each)
