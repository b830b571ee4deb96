"""Golden values for the adapters that choose weights by a score, on the golden cases of the tiny BERT and the tiny GPT-2.

For each adapter and model, writes under plugins/adapter-<adapter>/golden/<model>/

  golden.json          the case and the options of each choice
  masks.safetensors    masks of the weights that train, `<number of the choice>/<parameter>`, eight values per integer
  scores.safetensors   scores of the weights, of adapters that score weights

Scores are computed in float64 from float32 weights: gradients by autograd, activations and gates of heads by hooks. Needs torch,
transformers and safetensors.
"""
import json
import math

import numpy
import torch
from lora import theirs
from model_parity import ROOT, SOURCE
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

CASES = [
    ("bert", "classification", AutoModelForSequenceClassification, "bert.embeddings.word_embeddings.weight"),
    ("gpt2", "lm", AutoModelForCausalLM, "transformer.wte.weight"),
]


def largest(scores, fraction):
    """The largest scores of a flat tensor, the first of equal ones."""
    count = max(1, math.floor(fraction * scores.numel() + 0.5))
    mask = torch.zeros(scores.numel())
    mask[torch.argsort(scores.flatten(), descending=True, stable=True)[:count]] = 1
    return mask.reshape(scores.shape)


def masks(scores, fraction, compare, transposed=False):
    if compare == "layer":
        return {name: largest(score, fraction) for name, score in scores.items()}
    if compare == "output":
        rows = {name: score.T if transposed else score for name, score in scores.items()}
        chosen = {name: torch.stack([largest(row, fraction) for row in score]) for name, score in rows.items()}
        return {name: mask.T.contiguous() if transposed else mask for name, mask in chosen.items()}
    flat = largest(torch.cat([score.flatten() for score in scores.values()]), fraction)
    parts = flat.split([score.numel() for score in scores.values()])
    return {name: part.reshape(score.shape) for (name, score), part in zip(scores.items(), parts)}


class Statistics:
    """Sums over the batches of a case."""

    def __init__(self, plugin, case, cls, words):
        self.plugin, self.case = plugin, f"plugins/model-{plugin}/golden/{case}"
        folder = ROOT / self.case
        self.model = cls.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval().double()
        self.parameters = dict(self.model.named_parameters())
        self.words = words
        inner = "bert." if plugin == "bert" else "transformer.h."
        self.linear = [
            name
            for name, p in self.parameters.items()
            if name.startswith(inner) and p.dim() == 2 and "embeddings" not in name
        ]
        self.heads = self.model.config.num_attention_heads
        self.layers = self.model.config.num_hidden_layers
        self.batches = [theirs(each["batch"]) for each in json.loads((folder / "golden.json").read_text())["examples"]]
        self.sums = {kind: {name: 0 for name in self.linear} for kind in ("gradient", "fisher", "movement", "squares")}
        self.importance, self.entropy, self.queries = torch.zeros(self.layers, self.heads), 0, 0
        self.counts, self.rows = 0, 0
        for batch in self.batches:
            self.add(batch)

    def output(self, layer):
        if self.plugin == "bert":
            return self.model.get_submodule(f"bert.encoder.layer.{layer}.attention.output.dense")
        return self.model.get_submodule(f"transformer.h.{layer}.attn.c_proj")

    def add(self, batch):
        tokens = batch["attention_mask"].double()
        gates = torch.ones(self.layers, self.heads, dtype=torch.float64, requires_grad=True)

        def gated(layer):
            def scale(_, inputs):
                (x,) = inputs
                return (x * gates[layer].repeat_interleave(x.shape[-1] // self.heads),)

            return scale

        def squares(name):
            def add(_, inputs):
                x = inputs[0].detach()
                mask = tokens[..., None] if x.dim() == 3 else 1
                self.sums["squares"][name] = self.sums["squares"][name] + (x**2 * mask).reshape(-1, x.shape[-1]).sum(0)

            return add

        hooks = [self.output(i).register_forward_pre_hook(gated(i)) for i in range(self.layers)]
        for name in self.linear:
            module = self.model.get_submodule(name.removesuffix(".weight"))
            hooks.append(module.register_forward_pre_hook(squares(name)))
        self.model.zero_grad()
        outputs = self.model(**batch, output_attentions=True)
        outputs.loss.backward()
        for hook in hooks:
            hook.remove()
        for name in self.linear:
            weight, gradient = self.parameters[name].detach(), self.parameters[name].grad
            for kind, value in (("gradient", gradient), ("fisher", gradient**2), ("movement", -weight * gradient)):
                self.sums[kind][name] = self.sums[kind][name] + value
        self.importance = self.importance + gates.grad.abs()
        weights = torch.stack(outputs.attentions).detach()
        entropy = -torch.xlogy(weights, weights).sum(-1)
        self.entropy = self.entropy + (entropy * tokens[None, :, None, :]).sum((1, 3))
        self.queries += tokens.sum()
        vocabulary = self.parameters[self.words].shape[0]
        self.counts = self.counts + torch.bincount(batch["input_ids"].flatten(), tokens.flatten(), vocabulary)
        self.rows = self.rows + (self.parameters[self.words].grad ** 2).sum(1)

    def head_masks(self, chosen):
        """Masks of the rows of query, key and value, and of the columns of the output projection."""
        found = {}
        size = self.model.config.hidden_size // self.heads
        for layer in range(self.layers):
            rows = chosen[layer].repeat_interleave(size)
            if self.plugin == "bert":
                prefix = f"bert.encoder.layer.{layer}.attention"
                for part in ("query", "key", "value"):
                    found[f"{prefix}.self.{part}.weight"] = rows[:, None].repeat(1, len(rows))
                    found[f"{prefix}.self.{part}.bias"] = rows
                found[f"{prefix}.output.dense.weight"] = rows[None].repeat(len(rows), 1)
            else:
                prefix = f"transformer.h.{layer}.attn"
                found[f"{prefix}.c_attn.weight"] = rows.repeat(3)[None].repeat(len(rows), 1)
                found[f"{prefix}.c_attn.bias"] = rows.repeat(3)
                found[f"{prefix}.c_proj.weight"] = rows[:, None].repeat(1, len(rows))
        return found


def absolute(scores):
    return {name: score.abs() for name, score in scores.items()}


def packed(mask):
    """Eight values per integer, the first in the highest bit."""
    return torch.tensor(numpy.packbits(mask.numpy().astype(bool).flatten()), dtype=torch.int32)


def write(adapter, statistics, choices, scores=None):
    folder = ROOT / f"plugins/adapter-{adapter}/golden/{statistics.plugin}"
    folder.mkdir(parents=True, exist_ok=True)
    named = {f"{i}/{name}": packed(mask) for i, (_, made) in enumerate(choices) for name, mask in made.items()}
    save_file(named, folder / "masks.safetensors")
    if scores is not None:
        flat = {f"{kind}/{name}": score.float().contiguous() for kind, each in scores.items() for name, score in each.items()}
        save_file(flat, folder / "scores.safetensors")
    for file in folder.glob("*.safetensors"):
        file.chmod(0o644)
    golden = {"source": f"torch {torch.__version__}, {SOURCE}", "case": statistics.case, "choices": [options for options, _ in choices]}
    (folder / "golden.json").write_text(json.dumps(golden))


def both(options, scores, fractions=(0.1, 0.5)):
    """Choices with both comparisons."""
    return [
        ({**options, "fraction": fraction, "compare": compare}, masks(scores, fraction, compare))
        for fraction, compare in zip(fractions, ("global", "layer"))
    ]


def main():
    for case in CASES:
        it = Statistics(*case)
        weights = {name: it.parameters[name].detach() for name in it.linear}
        magnitude = absolute(weights)
        freeze = {"mode": "freeze"}
        smallest = {name: -score for name, score in magnitude.items()}
        write(
            "magnitude-pruning",
            it,
            both({}, magnitude) + [({**freeze, "chooses": "smallest", "fraction": 0.2}, masks(smallest, 0.2, "global"))],
        )
        sums = it.sums
        sensitivity = absolute(sums["movement"])
        write(
            "gradient-pruning",
            it,
            both({"score": "sensitivity"}, sensitivity)
            + both({**freeze, "score": "fisher"}, sums["fisher"])
            + both({**freeze, "score": "gradient"}, absolute(sums["gradient"])),
            {"fisher": sums["fisher"], "gradient": sums["gradient"]},
        )
        write("movement-pruning", it, both({}, sums["movement"]), {"movement": sums["movement"]})
        transposed = it.plugin == "gpt2"
        norms = {name: squares.sqrt() for name, squares in sums["squares"].items()}
        wanda = {name: magnitude[name] * (norm[:, None] if transposed else norm) for name, norm in norms.items()}
        write(
            "feature-importance",
            it,
            [({"fraction": 0.5}, masks(wanda, 0.5, "output", transposed))] + both(freeze, wanda),
        )
        normalized = it.importance / it.importance.norm(dim=1, keepdim=True)
        entropy = it.entropy / it.queries
        layer = largest(it.importance.mean(1), 0.5)[:, None].repeat(1, it.heads)
        write(
            "attention-statistics",
            it,
            [
                ({"fraction": 0.25}, it.head_masks(largest(normalized, 0.25))),
                ({"by": "low-entropy", "fraction": 0.5}, it.head_masks(largest(-entropy, 0.5))),
                ({"by": "high-entropy", "fraction": 0.25}, it.head_masks(largest(entropy, 0.25))),
                ({"unit": "layer", "fraction": 0.5}, it.head_masks(layer)),
            ],
        )

        def rows(scores, count):
            mask = largest(scores, count / len(scores)) * (scores > 0)
            return {it.words: mask[:, None].repeat(1, it.parameters[it.words].shape[1])}

        write(
            "token-rows",
            it,
            [({"count": 3}, rows(it.counts, 3)), ({"count": 5, "by": "gradient"}, rows(it.rows, 5))],
        )


if __name__ == "__main__":
    main()
