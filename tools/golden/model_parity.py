"""Shared code of the golden scripts of model plugins: tiny random models and their values, computed with transformers and torch.

`write_case` saves, under plugins/model-<plugin>/golden/<case>/,

  config.json, model.safetensors   by save_pretrained, with random weights that all affect the output
  golden.json                      hidden states, attention weights, batches with logits and losses, learning rates
  gradients.safetensors            gradients of the mean loss of the first batch
  trained.safetensors              all weights after five steps of AdamW

The weights are float32; everything is computed from them in float64, so that a comparison only shows the rounding of the tested
implementation. Needs torch, transformers and safetensors.
"""
import json
import re
import zlib
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import torch
import transformers
from safetensors.torch import save_file
from transformers import get_linear_schedule_with_warmup

ROOT = Path(__file__).resolve().parents[2]
STEPS, WARMUP, RATE, DECAY = 5, 2, 1e-3, 0.01
SOURCE = f"transformers {transformers.__version__} on torch {torch.__version__}, float64"
LABELS = ["anger", "joy", "neutral"]


def randomise(model, scale=0.3):
    """Randomizes every weight, normalization weights around 1, so that no term is too small to be noticed."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            centre = 1.0 if re.search(r"(norm|ln_?\w*)\.weight$", name, re.IGNORECASE) and p.dim() == 1 else 0.0
            p.copy_(centre + (0.7 if "embed" in name or ".wte" in name else scale) * torch.randn_like(p))


def array(tensor, digits=8):
    values = tensor.detach().flatten().tolist()
    return {
        "shape": list(tensor.shape),
        "dtype": "float32" if tensor.is_floating_point() else "int32",
        "values": [round(x, digits) for x in values] if tensor.is_floating_point() else [int(x) for x in values],
    }


def text_inputs(lengths, padded, vocabulary, pad=0, low=3):
    """Random ids and the attention mask, padded on the right."""
    ids = torch.full((len(lengths), padded), pad, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, length in enumerate(lengths):
        ids[row, :length] = torch.randint(low, vocabulary, (length,))
        mask[row, :length] = 1
    return ids, mask


class Classification:
    objective, options = "sequence-classification", {"labels": LABELS}

    @staticmethod
    def batch(ids, mask):
        labels = torch.randint(0, len(LABELS), (ids.shape[0],))
        return {"labels": labels}, {"labels": array(labels)}

    @staticmethod
    def logits(output, _theirs):
        return output.logits


class Tagging:
    """Every second token begins a word; the others have no label."""

    objective, options = "token-classification", {"labels": LABELS}

    @staticmethod
    def batch(ids, mask):
        weights = mask * (torch.arange(ids.shape[1]) % 2)
        labels = torch.randint(0, len(LABELS), ids.shape) * weights
        return {"labels": torch.where(weights == 1, labels, -100)}, {"targets": array(labels), "weights": array(weights.float())}

    @staticmethod
    def logits(output, _theirs):
        return output.logits


class CausalModelling:
    objective, options = "causal-language-modeling", {}

    @staticmethod
    def batch(ids, mask):
        labels = torch.where(mask == 1, ids, torch.full_like(ids, -100))
        targets, weights = torch.zeros_like(ids), torch.zeros(ids.shape)
        targets[:, :-1] = torch.where(mask[:, 1:] == 1, ids[:, 1:], torch.zeros_like(ids[:, 1:]))
        weights[:, :-1] = mask[:, 1:].float()
        return {"labels": labels}, {"targets": array(targets), "weights": array(weights)}

    @staticmethod
    def logits(output, _theirs):
        return output.logits


class MaskedModelling:
    """Two masked positions per row; their tokens are kept, so that no mask token is needed."""

    objective, options = "masked-language-modeling", {}

    @staticmethod
    def batch(ids, mask):
        labels = torch.full_like(ids, -100)
        places = torch.stack([torch.tensor([0, int(n) - 1]) for n in mask.sum(1)])
        labels.scatter_(1, places, ids.gather(1, places))
        ours = {"places": array(places), "targets": array(ids.gather(1, places)), "weights": array(torch.ones(places.shape))}
        return {"labels": labels}, ours

    @staticmethod
    def logits(output, ours):
        shape = ours["places"]["shape"]
        places = torch.tensor(ours["places"]["values"]).reshape(shape)
        return output.logits.gather(1, places.unsqueeze(2).expand(-1, -1, output.logits.shape[-1]))


class SequenceToSequence:
    """
    Targets with other lengths than the texts; the decoder's inputs are shifted right behind the start token of `config`. Pass
    `extra=task.extra, base=decoder_of` to `write_case`. `lengths` are the target lengths of each batch.
    """

    objective, options = "sequence-to-sequence", {}

    def __init__(self, config, lengths=((5, 7, 3), (4, 6))):
        self.config, self.lengths, self.targets = config, list(lengths), None

    def extra(self, _ids, _mask):
        each, pad = self.lengths.pop(0), self.config.pad_token_id
        self.targets = text_inputs(each, max(each) + 1, self.config.vocab_size, pad)
        ids, mask = self.targets
        start = torch.full_like(ids[:, :1], self.config.decoder_start_token_id)
        theirs = {"decoder_input_ids": torch.cat([start, ids[:, :-1]], 1) * mask + pad * (1 - mask), "decoder_attention_mask": mask}
        return theirs, {"decoderInputIds": array(theirs["decoder_input_ids"]), "decoderAttentionMask": array(mask)}

    def batch(self, _ids, _mask):
        ids, mask = self.targets
        ours = {"targets": array(ids * mask), "weights": array(mask.float())}
        return {"labels": torch.where(mask == 1, ids, torch.full_like(ids, -100))}, ours

    @staticmethod
    def logits(output, _theirs):
        return output.logits


def decoder_of(model):
    """Wraps an encoder–decoder with head so that it returns what its decoder alone would."""

    def run(**inputs):
        seen = model(**inputs)
        states = seen.decoder_hidden_states
        return SimpleNamespace(
            last_hidden_state=states[-1],
            hidden_states=states,
            attentions=seen.decoder_attentions,
            encoder_states=seen.encoder_last_hidden_state,
            encoder_hidden_states=seen.encoder_hidden_states,
            encoder_attentions=seen.encoder_attentions,
            cross_attentions=seen.cross_attentions,
        )

    return run


def spared(name, p):
    """Parameters without weight decay: those for which Attune's isBiasOrNorm is true, the same as in transformers' Trainer."""
    return p.dim() < 2 or re.search(r"(^|[._])(bias|LayerNorm|norm)\b", name) is not None


def train(model, batches):
    """
    Five steps of AdamW. AdamW divides a gradient by its magnitude: a gradient that is only a rounding error becomes a step of up to the
    learning rate. Such entries are detected and become NaN in the file.
    """
    parameters = dict(model.named_parameters())
    groups = [
        {"params": [p for n, p in parameters.items() if not spared(n, p)], "weight_decay": DECAY},
        {"params": [p for n, p in parameters.items() if spared(n, p)], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=RATE)
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    rates, losses = [], []
    noisy = {n: torch.zeros_like(p, dtype=torch.bool) for n, p in parameters.items()}
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = model(**batches[step % len(batches)]).loss
        loss.backward()
        for n, p in parameters.items():
            if p.grad is not None:
                noisy[n] |= (p.grad != 0) & (p.grad.abs() < max(1e-6, 1e-4 * p.grad.abs().max().item()))
        rates.append(optimizer.param_groups[0]["lr"])
        losses.append(loss.item())
        optimizer.step()
        schedule.step()
    return rates, losses, noisy


def tensors(named):
    """Drops duplicates of tied parameters."""
    return {name: tensor.detach().float().contiguous() for name, tensor in named if tensor is not None}


def rows_of(ids, mask):
    return {"inputIds": array(ids), "attentionMask": array(mask), "tokenTypeIds": array(torch.zeros_like(ids))}


@contextmanager
def reading_head(model):
    """The input of the last layer of a classification head, if the model has one."""
    names = dict(model.named_modules())
    known = ("classifier.out_proj", "classification_head.out_proj", "logits_proj", "classifier")
    last = next((names[name] for name in known if name in names), None)
    seen = []
    if not isinstance(last, torch.nn.Linear):
        yield seen
        return
    hook = last.register_forward_pre_hook(lambda _, given: seen.append(given[0]) if given[0].dim() == 2 else None)
    yield seen
    hook.remove()


def write_case(plugin, case, cls, config, task, lengths=((9, 4, 2), (8, 6)), padding=1, adjust=None, base=None, extra=None):
    """
    `cls` is the class with head, `config` its configuration without dropout; `adjust(model)` may correct weights that must not be random.
    Rows have at least `padding` padding positions. `base(model)` returns the part without head (default: `base_model`). `extra(ids, mask)`
    returns further inputs: theirs as a dict of tensors, ours as a dict of arrays.
    """
    torch.manual_seed(zlib.crc32(f"{plugin}/{case}".encode()))
    folder = ROOT / f"plugins/model-{plugin}/golden/{case}"
    config._attn_implementation = "eager"
    model = cls(config).eval()
    randomise(model)
    if adjust is not None:
        with torch.no_grad():
            adjust(model)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    model = model.double()
    pad = config.pad_token_id if isinstance(getattr(config, "pad_token_id", None), int) else 0
    theirs, examples, cases = [], [], []
    for each in lengths:
        ids, mask = text_inputs(each, max(each) + padding, config.vocab_size, pad)
        more, ours_more = extra(ids, mask) if extra is not None else ({}, {})
        labels, ours = task.batch(ids, mask)
        batch = {"input_ids": ids, "attention_mask": mask, **more, **labels}
        theirs.append(batch)
        with reading_head(model) as pooled:
            output = model(**batch)
        inputs = {**rows_of(ids, mask), **ours_more}
        examples.append(
            {"batch": {"inputs": inputs, **ours}, "logits": array(task.logits(output, ours)), "loss": output.loss.item()}
        )
        body = (base or (lambda m: m.base_model))(model)
        seen = body(input_ids=ids, attention_mask=mask, **more, output_hidden_states=True, output_attentions=True)
        outputs = {"lastHiddenState": array(seen.last_hidden_state, 7)}
        if getattr(seen, "hidden_states", None) is not None:
            outputs["hiddenStates"] = [array(h, 7) for h in seen.hidden_states]
        if getattr(seen, "attentions", None) is not None:
            outputs["attentions"] = [array(a, 7) for a in seen.attentions]
        if getattr(seen, "encoder_states", None) is not None:
            outputs["encoderStates"] = array(seen.encoder_states, 7)
            outputs["encoderHiddenStates"] = [array(h, 7) for h in seen.encoder_hidden_states]
            outputs["encoderAttentions"] = [array(a, 7) for a in seen.encoder_attentions]
            outputs["crossAttentions"] = [array(a, 7) for a in seen.cross_attentions]
        if pooled:
            outputs["pooled"] = array(pooled[0], 7)
        cases.append({"options": {}, "inputs": inputs, "outputs": outputs})
    model.zero_grad()
    model(**theirs[0]).loss.backward()
    save_file(tensors((n, p.grad) for n, p in model.named_parameters()), folder / "gradients.safetensors")
    rates, losses, noisy = train(model, theirs)
    trained = {n: p.detach().masked_fill(noisy[n], float("nan")) for n, p in model.named_parameters() if p.requires_grad}
    save_file(tensors(trained.items()), folder / "trained.safetensors")
    for file in folder.glob("*.safetensors"):
        file.chmod(0o644)
    golden = {
        "source": getattr(cls, "SOURCE", SOURCE),
        "plugin": plugin,
        "architecture": cls.__name__,
        "objective": task.objective,
        "objectiveOptions": task.options,
        "cases": cases[:1],
        "examples": examples,
        "training": {"warmupSteps": WARMUP, "learningRate": RATE, "weightDecay": DECAY, "rates": rates, "losses": losses},
    }
    (folder / "golden.json").write_text(json.dumps(golden, allow_nan=False))
    print(plugin, case, sum(p.numel() for p in model.parameters()), "parameters")
