"""Five steps of each optimizer on the tiny BERT classifier of plugins/model-bert/golden/classification, with its first batch.

RAdam takes eight, since its rectification starts at the sixth.

References as in optimizers.py, on transformers' BertForSequenceClassification without dropout, in float64. Writes
tools/parity/golden/optimizers.json: for each optimizer its options, the loss before each step, and of the total update of each tensor its
norm and four values. The same steps in float32 show how much the method amplifies rounding: `float32` has the deviations of PyTorch from
itself. Biases of keys are left out, since their gradient is zero up to rounding. Needs the packages of optimizers.py.
`optimizer_training.py NAME …` replaces only the named optimizers.
"""
import json
import sys
from importlib.metadata import version

import lora
import peft
import peft.optimizers
import pytorch_optimizer
import timm.optim
import torch
import transformers
from lion_pytorch import Lion
from optimizers import GOLDEN, ROOT, Module, MuonWithAdamW, adaptive_clip_grad, centralize_gradient, groups, param_groups_layer_decay
from safetensors.torch import load_file
from schedulefree import AdamWScheduleFree
from sophia_g import update as sophia_update
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import BertForSequenceClassification
from transformers.optimization import Adafactor

STEPS, SAMPLES = 5, 4
FOLDER = ROOT / "plugins/model-bert/golden/classification"
FILE = ROOT / "tools/parity/golden/optimizers.json"
LAYERS = r"^bert\.encoder\.layer\.(\d+)"
BATCH = lora.theirs(json.loads((FOLDER / "golden.json").read_text())["examples"][0]["batch"])


class Training:
    """A copy of the tiny BERT in `dtype`, the parameters that train by name, and the mean loss of the batch."""

    def __init__(self, dtype, trains="", adapter=None):
        self.model = BertForSequenceClassification.from_pretrained(FOLDER, attn_implementation="eager", dtype=torch.float32).eval()
        if adapter is not None:
            self.model = peft.get_peft_model(self.model, adapter).eval()
            factors = load_file(ROOT / "plugins/adapter-lora/golden/bert/start.safetensors")
            for name, p in self.model.named_parameters():
                if "lora_" in name:
                    p.data.copy_(factors[lora.plain(name)])
        self.model.to(dtype)
        named = {lora.plain(name): p for name, p in self.model.named_parameters() if p.requires_grad}
        self.parameters = {name: p for name, p in named.items() if name.startswith(trains)}

    def logits(self):
        return self.model(**{name: value for name, value in BATCH.items() if name != "labels"}).logits

    def loss(self, labels=BATCH["labels"]):
        return cross_entropy(self.logits(), labels)

    def gradients(self, labels=BATCH["labels"]):
        return torch.autograd.grad(self.loss(labels), list(self.parameters.values()))

    def closure(self):
        for p in self.parameters.values():
            p.grad = None
        loss = self.loss()
        loss.backward()
        return loss


def sgd(parameters, rate):
    return torch.optim.SGD(list(parameters.values()), lr=rate)


def stepped(make, before=None, again=False):
    """Steps of an optimizer that `make` returns for named parameters; `before` changes gradients; `again`: it evaluates the loss itself."""

    def prepare(training, rate):
        optimizer = make(training.parameters, rate)

        def step(_):
            if before is not None:
                before(list(training.parameters.values()))
            optimizer.step(*([training.closure] if again else []))

        return step, None

    return prepare


def grouped(optimizer_class, decay=0.0, matrices=None, **arguments):
    return stepped(lambda p, rate: optimizer_class(groups(p, decay, **(matrices or {})), lr=rate, **arguments))


def clipped(change):
    return stepped(sgd, before=change)


def averaged(average_function, start=1):
    def prepare(training, rate):
        optimizer, module = sgd(training.parameters, rate), Module(training.parameters)
        average = AveragedModel(module, multi_avg_fn=average_function)

        def step(number):
            optimizer.step()
            if number >= start:
                average.update_parameters(module)

        return step, lambda: average.module.named()

    return prepare


def schedule_free(**arguments):
    def prepare(training, rate):
        optimizer = AdamWScheduleFree(groups(training.parameters, 0.1), lr=rate, foreach=False, **arguments)
        optimizer.train()
        return lambda _: optimizer.step(), lambda: optimizer.eval() or training.parameters

    return prepare


def adamw_8bit(parameters, rate):
    from torchao.optim import AdamW8bit
    from torchao.optim.subclass_8bit import OptimState8bit

    torch.compiler.set_stance("force_eager")

    class Small(AdamW8bit):
        """Quantizes tensors of at least 32 values, all multiples of the block."""

        def _new_buffer(self, p, signed):
            if p.numel() >= 32:
                return OptimState8bit.zeros(p.shape, signed, 16, device=p.device)
            return torch.zeros_like(p)

    return Small(groups(parameters, 0.1), lr=rate, block_size=16)


def alternating(training, rate):
    """Two steps of the encoder, one of the head, each part with its own AdamW."""
    head = {name: p for name, p in training.parameters.items() if name.startswith("classifier.")}
    others = {name: p for name, p in training.parameters.items() if name not in head}
    parts = [torch.optim.AdamW(groups(part, 0.1), lr=rate) for part in (others, head)]
    return lambda number: parts[number % 3 == 0].step(), None


def layered(parameters, rate):
    class Stack(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.named = parameters

        def named_parameters(self):
            return iter(self.named.items())

        def group_matcher(self, coarse=False):
            return {"stem": r"^bert\.embeddings", "blocks": [(LAYERS, None), (r"^bert\.pooler", (2,))]}

    by_layer = param_groups_layer_decay(Stack(), weight_decay=0.0, layer_decay=0.5)
    return torch.optim.SGD([{**group, "lr": rate * group["lr_scale"]} for group in by_layer], lr=rate)


def unfrozen(training, rate):
    """The head and the upper layer train from the first step, the lower layer from the third, the embeddings from the fifth."""
    first = lambda name: 5 if ".embeddings." in name else 3 if ".layer.0." in name else 1
    optimizer = torch.optim.SGD([{"params": [p], "first": first(name)} for name, p in training.parameters.items()], lr=rate)

    def step(number):
        for group in optimizer.param_groups:
            group["lr"] = rate if number >= group["first"] else 0.0
        optimizer.step()

    return step, None


def lora_plus(training, rate):
    optimizer = peft.optimizers.create_loraplus_optimizer(training.model, torch.optim.SGD, lr=rate, loraplus_lr_ratio=16)
    return lambda _: optimizer.step(), None


def sophia(samples):
    """Sophia-G with labels that torch samples, in float64; `samples` keeps them for the same steps in another precision."""
    settings = {"rho": 0.05, "betas": (0.96, 0.99), "weight_decay": 0.1}

    def prepare(training, rate):
        torch.manual_seed(5)
        averages = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in training.parameters.items()}

        def step(number):
            if len(samples) < number:
                samples.append(torch.distributions.Categorical(logits=training.logits().detach()).sample().tolist())
            own = training.gradients(torch.tensor(samples[number - 1]))
            for (name, p), sampled in zip(training.parameters.items(), own):
                decay = settings["weight_decay"] if p.dim() > 1 else 0.0
                gradients = (p.grad, sampled)
                sophia_update(p, *averages[name], gradients, rows=3, lr=rate, **{**settings, "weight_decay": decay})

        return step, None

    return prepare


def flat(training):
    """The loss as a function of one vector with the parameters that train, that vector, and a function that stores a vector."""
    parameters = list(training.parameters.values())
    sizes = [p.numel() for p in parameters]

    def loss(w):
        parts = {n: part.view_as(p) for (n, p), part in zip(training.parameters.items(), w.split(sizes))}
        inputs = {name: value for name, value in BATCH.items() if name != "labels"}
        return cross_entropy(torch.func.functional_call(training.model, parts, kwargs=inputs).logits, BATCH["labels"])

    def store(w):
        torch.nn.utils.vector_to_parameters(w.detach(), parameters)

    return loss, lambda: torch.nn.utils.parameters_to_vector(parameters).detach(), store


def searched(loss, w, gradient, direction, size=1.0):
    while loss(w + size * direction) > loss(w) + 1e-4 * size * (gradient @ direction):
        size /= 2
    return w + size * direction


def newton(training, _):
    loss, weights, store = flat(training)

    def step(_):
        w = weights()
        gradient = torch.autograd.functional.jacobian(loss, w)
        hessian = torch.autograd.functional.hessian(loss, w) + 0.1 * torch.eye(len(w), dtype=w.dtype)
        store(searched(loss, w, gradient, -torch.linalg.solve(hessian, gradient)))

    return step, None


def conjugate_gradient(training, _):
    """Nocedal and Wright's equation 5.45 with the exact Hessian."""
    loss, weights, store = flat(training)
    last = []

    def step(_):
        w = weights()
        gradient = torch.autograd.functional.jacobian(loss, w)
        direction = -gradient
        if last:
            direction = direction + max(0.0, gradient @ (gradient - last[0]) / (last[0] @ last[0])) * last[1]
        direction = direction if gradient @ direction < 0 else -gradient
        curvature = direction @ torch.autograd.functional.hvp(loss, w, direction)[1]
        store(searched(loss, w, gradient, direction, -(gradient @ direction) / curvature))
        last[:] = gradient, direction

    return step, None


def lbfgs(parameters, rate):
    settings = {"max_iter": 1, "tolerance_grad": 0, "tolerance_change": 0, "history_size": 10}
    return torch.optim.LBFGS(list(parameters.values()), lr=rate, **settings)


def muon(parameters, rate):
    optimizer = MuonWithAdamW(parameters, "match_rms_adamw")
    for group in optimizer.param_groups:
        group["lr"] = rate
    return optimizer


optim, T = torch.optim, stepped
LORA = dict(r=3, lora_alpha=12, target_modules=["query", "value", "output.dense"], task_type="SEQ_CLS")
SAMPLED = []
HEAD = {"trains": "classifier."}

# name: (options, learning rate, steps of the reference, further arguments)
CASES = {
    "adadelta": ({}, 10.0, grouped(optim.Adadelta)),
    "adafactor": ({}, 0.02, grouped(Adafactor, relative_step=False, scale_parameter=True)),
    "adagrad": ({}, 0.02, grouped(optim.Adagrad)),
    "adam": ({"l2": 0.1}, 0.01, grouped(optim.Adam, 0.1)),
    "adamax": ({}, 0.01, grouped(optim.Adamax)),
    "adamw": ({"weightDecay": 0.1}, 0.01, grouped(optim.AdamW, 0.1)),
    "adamw-8bit": ({"weightDecay": 0.1, "minimumSize": 32, "blockSize": 16}, 0.01, T(adamw_8bit)),
    "adaptive-gradient-clipping": ({}, 1.0, clipped(adaptive_clip_grad)),
    "alternating": ({"part": "classifier.*", "otherSteps": 2}, 0.01, alternating),
    "clip-by-norm": ({}, 0.3, clipped(lambda p: torch.nn.utils.clip_grad_norm_(p, 1.0))),
    "clip-by-value": ({"maximum": 0.05}, 0.5, clipped(lambda p: torch.nn.utils.clip_grad_value_(p, 0.05))),
    "conjugate-gradient": ({}, 1.0, conjugate_gradient, HEAD),
    "decoupled-weight-decay": ({"weightDecay": 0.1}, 0.2, T(lambda p, r: pytorch_optimizer.SGDW(groups(p, 0.1), lr=r, foreach=False))),
    "exponential-moving-average": ({"decay": 0.9}, 0.2, averaged(get_ema_multi_avg_fn(0.9))),
    "gradient-centralization": ({}, 0.2, clipped(lambda ps: [centralize_gradient(p.grad) for p in ps])),
    "gradual-unfreezing": ({"everySteps": 2}, 0.2, unfrozen),
    "lamb": ({}, 0.05, grouped(timm.optim.Lamb, 0.01, max_grad_norm=None, eps=1e-6)),
    "lars": ({"weightDecay": 0.1, "trustCoefficient": 0.2}, 0.2, grouped(pytorch_optimizer.LARS, 0.1, trust_coefficient=0.2)),
    "layer-wise-learning-rate-decay": ({"decay": 0.5}, 0.2, T(layered)),
    "lbfgs": ({}, 1.0, T(lbfgs, again=True), HEAD),
    "lion": ({"weightDecay": 0.1}, 0.01, grouped(Lion, 0.1)),
    "lookahead": ({"interval": 3, "rate": 0.8}, 0.2, T(lambda p, r: pytorch_optimizer.Lookahead(sgd(p, r), k=3, alpha=0.8))),
    "lora-plus": ({}, 0.001, lora_plus, {"adapter": peft.LoraConfig(**LORA)}),
    "muon": ({}, 0.05, T(muon)),
    "nadam": ({"weightDecay": 0.1}, 0.01, grouped(optim.NAdam, 0.1, decoupled_weight_decay=True)),
    "newton": ({"damping": 0.1, "iterations": 12}, 1.0, newton, HEAD),
    "radam": ({"weightDecay": 0.1}, 0.2, grouped(optim.RAdam, 0.1, decoupled_weight_decay=True), {"steps": 8}),
    "rmsprop": ({"centered": True, "momentum": 0.9}, 0.005, grouped(optim.RMSprop, centered=True, momentum=0.9)),
    "sam": ({}, 0.2, T(lambda p, r: pytorch_optimizer.SAM(list(p.values()), optim.SGD, lr=r, rho=0.05), again=True)),
    "schedule-free-adamw": ({"weightDecay": 0.1}, 0.01, schedule_free()),
    "sgd": ({"momentum": 0.9, "weightDecay": 0.1}, 0.1, grouped(optim.SGD, 0.1, momentum=0.9)),
    "sophia": ({"estimator": "gauss-newton-bartlett", "gamma": 0.05}, 0.01, sophia(SAMPLED)),
    "stochastic-weight-averaging": ({}, 0.2, averaged(None, 4)),
}


def run(dtype, rate, prepare, steps=STEPS, **how):
    """Losses before each step and the total updates of parameters, or of the parameters to evaluate."""
    training = Training(dtype, **how)
    initial = {name: p.detach().clone() for name, p in training.parameters.items()}
    step, evaluated = prepare(training, rate)
    losses = []
    for number in range(1, steps + 1):
        losses.append(training.closure().item())
        step(number)
    last = training.parameters if evaluated is None else evaluated()
    return losses, {n: (last[n].detach() - p).double() for n, p in initial.items() if "key.bias" not in n}


def deviations(found, expected):
    """Largest relative deviation of the losses; of norms relative to the largest norm; of values relative to the largest value."""
    (losses, updates), (golden, references) = found, expected
    norms = {n: abs(u.norm() - references[n].norm()) for n, u in updates.items()}
    values = [(u - references[n]).abs().max() for n, u in updates.items()]
    return {
        "losses": max(abs(a / b - 1) for a, b in zip(losses, golden)),
        "norms": float(max(norms.values()) / max(u.norm() for u in references.values())),
        "values": float(max(values) / max(u.abs().max() for u in references.values())),
    }


def sampled(update, generator):
    at = update.flatten().nonzero().flatten()
    at = at[torch.randperm(len(at), generator=generator)[:SAMPLES]].sort().values
    return {"norm": float(update.norm()), "at": at.tolist(), "values": update.flatten()[at].tolist()}


def golden(name, options, rate, prepare, how=None):
    expected = run(torch.float64, rate, prepare, **(how or {}))
    again = deviations(run(torch.float32, rate, prepare, **(how or {})), expected)
    losses, updates = expected
    generator = torch.Generator().manual_seed(8)
    result = {"options": options, "learningRate": rate, "losses": losses, "float32": again, **({"samples": SAMPLED} if name == "sophia" else {})}
    result |= {"largest": float(max(u.abs().max() for u in updates.values())), **({"trains": "classifier.*"} if how == HEAD else {})}
    print(name, [round(x, 4) for x in losses], {k: f"{v:.1e}" for k, v in again.items()}, "largest", round(result["largest"], 4))
    return result | {"updates": {n: sampled(u, generator) for n, u in updates.items()}}


def rounded(tree):
    """Nine significant digits of each float."""
    if isinstance(tree, dict):
        return {name: rounded(value) for name, value in tree.items()}
    if isinstance(tree, list):
        return [rounded(value) for value in tree]
    return float(f"{tree:.9g}") if isinstance(tree, float) else tree


if __name__ == "__main__":
    chosen = sys.argv[1:] or CASES
    cases = json.loads(FILE.read_text())["cases"] if FILE.exists() else {}
    source = f"transformers {transformers.__version__} on torch {version('torch')}, float64"
    for name in chosen:
        cases[name] = golden(name, *CASES[name])
        FILE.write_text(json.dumps({"source": source, "cases": rounded(dict(sorted(cases.items())))}, separators=(",", ":")))
    print(FILE.stat().st_size, "bytes")
