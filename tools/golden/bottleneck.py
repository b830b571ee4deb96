"""Golden values for plugins/adapter-bottleneck: AdapterHub's bottleneck adapters on golden cases of tiny models.

For each case, writes under plugins/adapter-bottleneck/golden/<plugin>/

  adapter_config.json, adapter_model.safetensors   the adapter in the layout of Attune, random so that no tensor has its initial values
  golden.json                                      the case, its options, and the logits and losses of its batches, in float64
  gradients.safetensors                            gradients of the mean loss of the first batch, for all trainable parameters

The adapters are `DoubleSeqBnConfig` (Houlsby), and `SeqBnConfig` (after the feed-forward block) with `original_ln_before=False`: the
network reads the output of the block, as in figure 2 of Houlsby et al. Needs torch, safetensors, and adapters with its version of
transformers.
"""
import json
import re

import adapters
import torch
from adapters import DoubleSeqBnConfig, SeqBnConfig
from lora import theirs
from model_parity import ROOT, SOURCE, array, tensors
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

BOTH, FEED_FORWARD = {}, {"placement": "feed-forward"}
CASES = [
    ("bert", "classification", AutoModelForSequenceClassification, "relu", 4, BOTH),
    ("gpt2", "lm", AutoModelForCausalLM, "gelu", 2, BOTH),
    ("llama", "llama", AutoModelForCausalLM, "silu", 4, FEED_FORWARD),
]
LAYERS = {
    "bert": {"attention.output": "attention.output.dense", "output": "output.dense"},
    "gpt2": {"attention_adapters": "attn.c_proj", "output_adapters": "mlp.c_proj"},
    "llama": {"output_adapters": "mlp.down_proj"},
}


def plain(plugin, name):
    """A parameter's name: that of its linear layer and of the projection; a head's name is its own."""
    found = re.fullmatch(r"(.*\.\d+\.)(.+?)\.adapters\.own\.(adapter_\w+)(?:\.0)?(\.\w+)", name)
    return name if found is None else found[1] + LAYERS[plugin][found[2]] + "." + found[3] + found[4]


def write(plugin, case, cls, activation, size, options):
    torch.manual_seed(17)
    source = ROOT / f"plugins/model-{plugin}/golden/{case}"
    folder = ROOT / f"plugins/adapter-bottleneck/golden/{plugin}"
    folder.mkdir(parents=True, exist_ok=True)
    model = cls.from_pretrained(source, attn_implementation="eager", dtype=torch.float32).eval()
    adapters.init(model)
    hidden = getattr(model.config, "hidden_size", None) or model.config.n_embd
    how = {"reduction_factor": hidden // size, "non_linearity": activation}
    config = DoubleSeqBnConfig(**how) if options == BOTH else SeqBnConfig(original_ln_before=False, **how)
    model.add_adapter("own", config=config)
    model.train_adapter("own")
    model.set_active_adapters("own")
    model.eval()
    trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad and "lm_head" not in n]
    with torch.no_grad():
        for _, p in trained:
            p.add_(0.3 * torch.randn_like(p))
    own = {plain(plugin, n): p for n, p in trained}
    assert next(p for n, p in own.items() if n.endswith("adapter_down.weight")).shape[0] == size
    save_file({f"base_model.model.{n}": p.detach().clone().contiguous() for n, p in own.items()}, folder / "adapter_model.safetensors")
    heads = sorted({n.rsplit(".", 1)[0] for n in own if "adapter_" not in n})
    saved = {
        "base_model_name_or_path": f"plugins/model-{plugin}/golden/{case}",
        "peft_type": "BOTTLENECK",
        "size": size,
        "activation": activation,
        "target_modules": [n.removesuffix(".adapter_down.weight") for n in own if n.endswith("adapter_down.weight")],
        "modules_to_save": heads or None,
    }
    (folder / "adapter_config.json").write_text(json.dumps(saved, indent=2) + "\n")
    model = model.double()
    batches = [theirs(example["batch"]) for example in json.loads((source / "golden.json").read_text())["examples"]]
    outputs = [model(**batch) for batch in batches]
    outputs[0].loss.backward()
    save_file(tensors((plain(plugin, n), p.grad) for n, p in trained), folder / "gradients.safetensors")
    for file in folder.glob("*.safetensors"):
        file.chmod(0o644)
    golden = {
        "source": f"adapters {adapters.__version__}, {SOURCE}",
        "case": saved["base_model_name_or_path"],
        "options": {"size": size, "activation": activation, **options},
        "examples": [{"logits": array(o.logits), "loss": o.loss.item()} for o in outputs],
    }
    (folder / "golden.json").write_text(json.dumps(golden, allow_nan=False))
    print(plugin, list(own)[:4], heads, outputs[0].loss.item())


if __name__ == "__main__":
    for each in CASES:
        write(*each)
