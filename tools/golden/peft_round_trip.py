"""A LoRA adapter that goes from peft to Attune and back: made in Python, trained further by `attune train`, opened again in Python.

Asserts that peft computes the same logits with the trained adapter on its base as transformers with the model that Attune merged, and
that `attune adapter merge` writes the weights of peft's merge_and_unload. Writes to a temporary folder. Run it from the root of the
repository after a build. Needs torch, transformers, peft and safetensors.
"""
import json
import subprocess
import tempfile
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, BertConfig, BertForSequenceClassification

ROOT = Path(__file__).resolve().parents[2]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "film", "was", "good", "bad"]


def attune(folder, *words):
    command = ["node", str(ROOT / "packages/cli/bin/attune.mjs"), *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def make_base(folder):
    """A tiny random BERT with a WordPiece vocabulary."""
    torch.manual_seed(1)
    labels = {"id2label": {0: "bad", 1: "good"}, "label2id": {"bad": 0, "good": 1}}
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(vocab_size=len(WORDS), max_position_embeddings=16, initializer_range=0.3, **sizes, **labels)
    BertForSequenceClassification(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")


def make_adapter(base, folder):
    """An adapter as after some training in Python."""
    config = LoraConfig(task_type=TaskType.SEQ_CLS, r=4, lora_alpha=8, target_modules=["query", "value"])
    model = get_peft_model(AutoModelForSequenceClassification.from_pretrained(base), config)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_" in name:
                p.copy_(0.1 * torch.randn_like(p))
    model.save_pretrained(folder)


def largest(a, b):
    return max((a[name].double() - b[name].double()).abs().max().item() for name in b)


def main():
    with tempfile.TemporaryDirectory() as temporary:
        at = Path(temporary)
        make_base(at / "base")
        make_adapter(at / "base", at / "made")
        rows = [{"text": f"the film was {label}", "label": label} for label in ["good", "bad"] * 12]
        (at / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        config = {
            "directory": "run",
            "data": {"train": {"use": "jsonl", "path": "rows.jsonl"}},
            "tokenizer": {"use": "wordpiece", "path": "base"},
            "model": {"use": "bert", "from": "base"},
            "objective": "sequence-classification",
            "adapter": {"use": "lora", "from": "made"},
            "saveAdapter": True,
            "training": {"epochs": 2, "batchSize": 8, "learningRate": 0.01},
        }
        (at / "config.json").write_text(json.dumps(config))
        attune(at, "train", "config.json")
        attune(at, "adapter", "merge", "--model", "base", "--adapter", "run", "--out", "merged")

        base = AutoModelForSequenceClassification.from_pretrained(at / "base")
        model = PeftModel.from_pretrained(base, at / "run/adapter").eval()
        merged = AutoModelForSequenceClassification.from_pretrained(at / "merged").eval()
        ids = torch.tensor([[2, 5, 6, 7, 8, 3], [2, 5, 6, 7, 9, 3]])
        with torch.no_grad():
            plain = AutoModelForSequenceClassification.from_pretrained(at / "base").eval()(input_ids=ids).logits
            change = (model(input_ids=ids).logits - plain).abs().max().item()
            difference = (model(input_ids=ids).logits - merged(input_ids=ids).logits).abs().max().item()
        weights = largest(load_file(at / "merged/model.safetensors"), dict(model.merge_and_unload().state_dict()))
        first, now = (load_file(at / name / "adapter_model.safetensors") for name in ("made", "run/adapter"))
        trained = largest(now, {name: p for name, p in first.items() if "lora_" in name})
        print(f"logits differ by at most {difference:.1e}, merged weights by {weights:.1e}")
        print(f"the adapter changes the logits by {change:.1e}, training moved the factors by {trained:.1e}")
        assert difference < 1e-5 and weights < 1e-5 and trained > 1e-3 and change > 1e-3


if __name__ == "__main__":
    main()
