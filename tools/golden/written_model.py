"""
Shared code of reference models written in PyTorch, for architectures that transformers does not have: saving and output in the format
that model_parity.write_case expects of a transformers model. Needs torch and safetensors.
"""
import json
from types import SimpleNamespace

import torch
from safetensors.torch import save_file
from torch import nn

LABELS = ["anger", "joy", "neutral"]


class Config(SimpleNamespace):
    """Content of `config.json`: Attune's options in snake case."""

    def __init__(self, model_type, **given):
        super().__init__(model_type=model_type, **given)


class WrittenForClassification(nn.Module):
    """
    A body with a linear classifier on its pooled output. Bodies take `input_ids` and `attention_mask` and return `last_hidden_state`,
    `pooled` and, if they have them, `hidden_states` and `attentions`.
    """

    SOURCE = f"torch {torch.__version__}, written out, float64"

    def __init__(self, config, name, body, width):
        super().__init__()
        self.config, self.name = config, name
        self.add_module(name, body)
        self.classifier = nn.Linear(width, len(LABELS))

    @property
    def base_model(self):
        return lambda **inputs: self.get_submodule(self.name)(inputs["input_ids"], inputs["attention_mask"])

    def forward(self, input_ids, attention_mask, labels=None):
        logits = self.classifier(self.base_model(input_ids=input_ids, attention_mask=attention_mask).pooled)
        return SimpleNamespace(logits=logits, loss=nn.functional.cross_entropy(logits, labels))

    def save_pretrained(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        config = {name: value for name, value in vars(self.config).items() if not name.startswith("_")}
        architecture = {"architectures": [type(self).__name__]}
        (folder / "config.json").write_text(json.dumps({**architecture, **config}, indent=2) + "\n")
        save_file({name: p.detach().contiguous() for name, p in self.named_parameters()}, folder / "model.safetensors")
