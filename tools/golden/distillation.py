"""Losses of a student for the outputs of a teacher, and their gradients, computed with torch.

Soft targets as in Hinton et al. (kl_div of the log-softmax at temperature T, summed over the classes, times T²); hidden states as in the
distillation of DistilBERT (cosine_embedding_loss of the tokens that the attention mask selects).
Needs torch. Writes plugins/objective-distillation/golden/torch-distillation.json.
"""
import json
from pathlib import Path

import torch
from torch.nn import functional

ROOT = Path(__file__).resolve().parents[2]
torch.manual_seed(11)


def stored(tensor):
    return {"shape": list(tensor.shape), "values": tensor.detach().reshape(-1).tolist()}


def soft_targets(student, teacher, temperature, divergence):
    if divergence == "squared-error":
        return functional.mse_loss(student, teacher)
    q = functional.log_softmax(student / temperature, dim=-1)
    p = functional.log_softmax(teacher / temperature, dim=-1)
    mean = {"reduction": "batchmean", "log_target": True}
    if divergence == "kl":
        value = functional.kl_div(q, p, **mean)
    elif divergence == "reverse-kl":
        value = functional.kl_div(p, q, **mean)
    else:
        mixed = ((p.exp() + q.exp()) / 2).log()
        value = (functional.kl_div(mixed, p, **mean) + functional.kl_div(mixed, q, **mean)) / 2
    return value * temperature**2


def soft_cases():
    student = torch.randn(5, 4) * 2
    teacher = torch.randn(5, 4) * 2
    for temperature in (1.0, 2.0, 5.0):
        for divergence in ("kl", "reverse-kl", "jensen-shannon", "squared-error"):
            given = student.clone().requires_grad_(True)
            value = soft_targets(given, teacher, temperature, divergence)
            (gradient,) = torch.autograd.grad(value, given)
            yield {
                "options": {"temperature": temperature, "divergence": divergence},
                "student": stored(student),
                "teacher": stored(teacher),
                "expected": value.item(),
                "gradient": stored(gradient),
            }


def layer_cases():
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    chosen = mask.bool()
    student = torch.randn(2, 4, 6)
    same = torch.randn(2, 4, 6)
    wider = torch.randn(2, 4, 8)
    projection = torch.randn(8, 6)
    for name, teacher, options in (
        ("cosine", same, {}),
        ("squared-error", same, {}),
        ("cosine", wider, {"projection": projection.tolist()}),
        ("squared-error", wider, {"projection": projection.tolist()}),
    ):
        given = student.clone().requires_grad_(True)
        rows = (given @ projection.T if options else given)[chosen]
        if name == "cosine":
            value = functional.cosine_embedding_loss(rows, teacher[chosen], torch.ones(rows.shape[0]))
        else:
            value = functional.mse_loss(rows, teacher[chosen])
        (gradient,) = torch.autograd.grad(value, given)
        yield {
            "kept": "hiddenStates",
            "options": {"hiddenWeight": 1, "hiddenLoss": name, **options},
            "mask": stored(mask),
            "student": stored(student),
            "teacher": stored(teacher),
            "expected": value.item(),
            "gradient": stored(gradient),
        }
    scores = torch.randn(2, 3, 4, 4)
    teacher = torch.softmax(torch.randn(2, 3, 4, 4), dim=-1)
    student = torch.softmax(scores, dim=-1).requires_grad_(True)
    each = functional.kl_div(student.log(), teacher, reduction="none").sum(-1).mean(1)
    value = each[chosen].mean()
    (gradient,) = torch.autograd.grad(value, student)
    yield {
        "kept": "attentions",
        "options": {"attentionWeight": 1},
        "mask": stored(mask),
        "student": stored(student),
        "teacher": stored(teacher),
        "expected": value.item(),
        "gradient": stored(gradient),
    }


folder = ROOT / "plugins/objective-distillation/golden"
folder.mkdir(parents=True, exist_ok=True)
golden = {"source": f"torch {torch.__version__}", "soft": list(soft_cases()), "layers": list(layer_cases())}
(folder / "torch-distillation.json").write_text(json.dumps(golden))
