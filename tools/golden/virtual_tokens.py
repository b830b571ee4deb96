"""Golden values for plugins/adapter-prompt-tuning, -p-tuning and -prefix-tuning: peft's adapters on the golden cases of tiny models.

For each adapter and case, writes under plugins/adapter-<adapter>/golden/<model>/

  saved/                  the adapter, by peft's save_pretrained
  golden.json             the case, the options, logits and losses of its batches
  start.safetensors       the initial trainable parameters, by peft's names
  gradients.safetensors   gradients of the mean loss of the first batch, for all trainable parameters

The label of the first token of a text is masked in language modeling: peft predicts it from the last virtual token, Attune does not.
Everything is computed in float64 from float32 weights. Needs torch, transformers, peft and safetensors.
"""
import json
import re

import peft
import torch
from lora import theirs
from model_parity import ROOT, SOURCE, array, tensors
from peft import PrefixTuningConfig, PromptEncoderConfig, PromptTuningConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

CLASSIFIER = ("classification", AutoModelForSequenceClassification, "SEQ_CLS")
DECODER = (None, AutoModelForCausalLM, "CAUSAL_LM")
PROMPT = (PromptTuningConfig, {"num_virtual_tokens": 4}, {"tokens": 4})


def encoder(kind):
    theirs = {"num_virtual_tokens": 3, "encoder_hidden_size": 5, "encoder_reparameterization_type": kind}
    return PromptEncoderConfig, theirs, {"tokens": 3, "hiddenSize": 5, "encoder": kind.lower()}


def prefix(projected):
    theirs = {"num_virtual_tokens": 3, "prefix_projection": projected, "encoder_hidden_size": 5}
    return PrefixTuningConfig, theirs, {"tokens": 3, **({"hiddenSize": 5} if projected else {})}


CASES = [
    ("prompt-tuning", "bert", "bert", CLASSIFIER, PROMPT),
    ("prompt-tuning", "gpt2", "gpt2", ("lm", *DECODER[1:]), PROMPT),
    ("prompt-tuning", "llama", "llama", ("llama", *DECODER[1:]), PROMPT),
    ("p-tuning", "bert", "bert", CLASSIFIER, encoder("MLP")),
    ("p-tuning", "gpt2", "gpt2", ("lm", *DECODER[1:]), encoder("LSTM")),
    ("prefix-tuning", "gpt2", "gpt2", ("lm", *DECODER[1:]), prefix(False)),
    ("prefix-tuning", "llama", "llama", ("llama", *DECODER[1:]), prefix(True)),
]


def plain(name, trained):
    """A parameter's name without the parts that name peft's adapter; vectors that no encoder computes are `prompt_embeddings`."""
    if sum("prompt_encoder" in n for n, _ in trained) == 1 and "prompt_encoder" in name:
        return "prompt_embeddings"
    return re.sub(r"\.(default|modules_to_save\.default)(?=\.)", "", name.removeprefix("base_model."))


def write(adapter, name, plugin, how, settings):
    torch.manual_seed(7)
    case, cls, task = how
    config, options, ours = settings
    source = ROOT / f"plugins/model-{plugin}/golden/{case}"
    folder = ROOT / f"plugins/adapter-{adapter}/golden/{name}"
    folder.mkdir(parents=True, exist_ok=True)
    base = cls.from_pretrained(source, attn_implementation="eager", dtype=torch.float32).eval()
    model = get_peft_model(base, config(task_type=task, **options)).eval()
    trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    with torch.no_grad():
        for each, p in trained:
            if "prompt_encoder" in each:
                p.copy_(0.5 * torch.randn_like(p))
    model.save_pretrained(folder / "saved")
    (folder / "saved/README.md").unlink(missing_ok=True)
    written = folder / "saved/adapter_config.json"
    saved = {**json.loads(written.read_text()), "base_model_name_or_path": None}
    written.write_text(json.dumps(saved, indent=2) + "\n")
    save_file(tensors((plain(n, trained), p) for n, p in trained if "prompt_encoder" in n), folder / "start.safetensors")
    model = model.double()
    batches = [theirs(example["batch"]) for example in json.loads((source / "golden.json").read_text())["examples"]]
    outputs = []
    for batch in batches:
        if task == "CAUSAL_LM":
            batch["labels"][:, 0] = -100
        outputs.append(model(**batch))
    outputs[0].loss.backward()
    save_file(tensors((plain(n, trained), p.grad) for n, p in trained), folder / "gradients.safetensors")
    first = outputs[0].logits.shape[1] - batches[0]["input_ids"].shape[1] if task == "CAUSAL_LM" else None
    for file in folder.rglob("*.safetensors"):
        file.chmod(0o644)
    golden = {
        "source": f"peft {peft.__version__}, {SOURCE}",
        "case": f"plugins/model-{plugin}/golden/{case}",
        "options": ours,
        "examples": [{"logits": array(o.logits if first is None else o.logits[:, first:]), "loss": o.loss.item()} for o in outputs],
    }
    (folder / "golden.json").write_text(json.dumps(golden, allow_nan=False))
    print(adapter, name, [(n, tuple(p.shape)) for n, p in trained], outputs[0].loss.item())


if __name__ == "__main__":
    for each in CASES:
        write(*each)
