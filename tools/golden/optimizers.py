"""Parameters after each of ten steps of optimizers, with weight decay on matrices only; and the minimum of the suite's logistic regression.

References: torch.optim; peft, lion-pytorch, schedulefree, timm, torchao, transformers, pytorch_optimizer, scipy and scikit-learn for what it lacks.
Needs these packages. Writes plugins/optimizer-*/golden/*.json. `optimizers.py NAME …` writes only those of the named optimizers.
"""
import json
import re
import sys
from importlib.metadata import version
from pathlib import Path

import numpy
import peft
import peft.optimizers
import pytorch_optimizer
import scipy.sparse.linalg
import timm.optim
import torch
from lion_pytorch import Lion
from pytorch_optimizer.optimizer.gradient_centralization import centralize_gradient
from schedulefree import AdamWScheduleFree
from sklearn.linear_model import LogisticRegression
from timm.optim import param_groups_layer_decay
from timm.utils.agc import adaptive_clip_grad
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers.optimization import Adafactor

ROOT = Path(__file__).resolve().parents[2]
STEPS = 10
NAMES = {"layer.weight": (3, 4), "layer.bias": (4,), "LayerNorm.weight": (4,)}
SIZES = {"embeddings.weight": (3, 2), "layer.0.weight": (4, 2), "layer.1.weight": (2, 4), "layer.1.bias": (4,)}


def flat(tensors):
    return {name: [float(x) for x in tensor.detach().flatten()] for name, tensor in tensors.items()}


def groups(parameters, decay, **matrices):
    return [
        {"params": [p for p in parameters.values() if p.dim() > 1], "weight_decay": decay, **matrices},
        {"params": [p for p in parameters.values() if p.dim() < 2], "weight_decay": 0.0},
    ]


def recorded(options, make, names=NAMES, rate=0.1, before=None, evaluated=None):
    """Steps with random gradients. `make` returns an optimizer of named parameters; `before` changes gradients, `evaluated` averages."""
    generator = torch.Generator().manual_seed(20)
    draw = lambda: {name: torch.randn(shape, generator=generator) for name, shape in names.items()}
    parameters = {name: torch.nn.Parameter(value) for name, value in draw().items()}
    initial = {name: {"shape": list(names[name]), "values": values} for name, values in flat(parameters).items()}
    optimizer = make(parameters)
    result = {"options": options, "learningRates": [], "initial": initial, "gradients": [], "expected": []}
    if evaluated is not None:
        result["evaluated"] = []
        average = evaluated(parameters, optimizer)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            own = rate / (step + 1) * group.get("lr_scale", 1.0)
            group["lr"] = group["lr"].fill_(own) if isinstance(group["lr"], torch.Tensor) else own
        gradient = draw()
        for name, parameter in parameters.items():
            parameter.grad = gradient[name].clone()
        if before is not None:
            before(parameters)
        optimizer.step()
        result["learningRates"].append(rate / (step + 1))
        result["gradients"].append(flat(gradient))
        result["expected"].append(flat(parameters))
        if evaluated is not None:
            result["evaluated"].append(flat(average(step + 1)))
    return result


def by_torch(optimizer_class, options, decay=0.0, matrices=None, rate=0.1, **arguments):
    make = lambda parameters: optimizer_class(groups(parameters, decay, **(matrices or {})), lr=rate, **arguments)
    return recorded(options, make, rate=rate)


def sgd(parameters):
    return torch.optim.SGD(list(parameters.values()), lr=0.1)


class MuonWithAdamW:
    """torch.optim.Muon in float32 for hidden matrices, AdamW for all other parameters."""

    def __init__(self, parameters, adjust, **arguments):
        others = ("embed", "classifier")
        hidden = [p for name, p in parameters.items() if p.dim() == 2 and not any(each in name for each in others)]
        embeddings = [p for name, p in parameters.items() if p.dim() == 2 and any(each in name for each in others)]
        vectors = [p for p in parameters.values() if p.dim() < 2]
        self.muon = torch.optim.Muon(hidden, lr=0.1, weight_decay=0.1, adjust_lr_fn=adjust, **arguments)
        rest = [{"params": embeddings, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
        self.adamw = torch.optim.AdamW(rest, lr=0.1)
        self.param_groups = self.muon.param_groups + self.adamw.param_groups

    def step(self):
        half, torch.bfloat16 = torch.bfloat16, torch.float32
        self.muon.step()
        torch.bfloat16 = half
        self.adamw.step()


class SophiaOnSumOfSquares:
    """SophiaH of pytorch_optimizer on the sum of squares, whose Hessian is twice the identity; its clipping is a factor of the rate."""

    def __init__(self, parameters, decay, clip, epsilon, **arguments):
        self.clip = clip
        self.parameters = list(parameters.values())
        self.inner = pytorch_optimizer.SophiaH(
            groups(parameters, decay * clip), lr=0.1, p=clip, eps=epsilon / clip, update_period=1, **arguments
        )
        self.param_groups = [{"lr": 0.1}]

    def step(self):
        for group in self.inner.param_groups:
            group["lr"] = self.param_groups[0]["lr"] / self.clip
        parameters = [p for group in self.inner.param_groups for p in group["params"]]
        self.inner.step(hessian=[torch.full_like(p, 2.0) for p in parameters])


def schedule_free(options, decay, **arguments):
    make = lambda parameters: AdamWScheduleFree(groups(parameters, decay), lr=0.1, foreach=False, **arguments)

    def evaluated(parameters, optimizer):
        def at(_):
            optimizer.eval()
            average = {name: p.detach().clone() for name, p in parameters.items()}
            optimizer.train()
            return average

        optimizer.train()
        return at

    return recorded(options, make, evaluated=evaluated)


def adamw_8bit(options, decay, block):
    from torchao.optim import AdamW8bit
    from torchao.optim.subclass_8bit import OptimState8bit

    class Small(AdamW8bit):
        """Quantizes tensors of any size that is a multiple of the block."""

        def _new_buffer(self, p, signed):
            if p.numel() % block == 0:
                return OptimState8bit.zeros(p.shape, signed, block, device=p.device)
            return torch.zeros_like(p)

    names = {"layer.weight": (8, 16), "layer.bias": (5,)}
    return recorded(options, lambda parameters: Small(groups(parameters, decay), lr=0.1, block_size=block), names)


class Module(torch.nn.Module):
    """The named parameters as a module, as AveragedModel needs."""

    def __init__(self, parameters):
        super().__init__()
        self.names = list(parameters)
        self.values = torch.nn.ParameterList(parameters.values())

    def named(self):
        return dict(zip(self.names, self.values))


def averaged(options, average_function, due=lambda step: True, start=1):
    def evaluated(parameters, _):
        module = Module(parameters)
        average = AveragedModel(module, multi_avg_fn=average_function)

        def at(step):
            if step >= start and due(step):
                average.update_parameters(module)
            return (average.module if step >= start else module).named()

        return at

    return recorded(options, sgd, evaluated=evaluated)


def layers(options, decay):
    names = {"embed.weight": (3, 2), "layer.0.weight": (2, 2), "layer.1.weight": (2, 2), "head.weight": (2, 2)}

    class Stack(torch.nn.Module):
        def group_matcher(self, coarse=False):
            return {"stem": r"^embed", "blocks": [(r"^layer\.(\d+)", None)]}

    def make(parameters):
        stack = Stack()
        for name, parameter in parameters.items():
            *path, last = name.split(".")
            module = stack
            for part in path:
                if not hasattr(module, part):
                    module.add_module(part, torch.nn.Module())
                module = getattr(module, part)
            module.register_parameter(last, parameter)
        return torch.optim.SGD(param_groups_layer_decay(stack, weight_decay=0.0, layer_decay=decay), lr=0.1)

    return recorded(options, make, names)


class Adapted(torch.nn.Module):
    """A linear layer for LoRA, and a head that trains in full."""

    def __init__(self):
        super().__init__()
        self.layer, self.head = torch.nn.Linear(4, 3), torch.nn.Linear(3, 2)


def lora_plus(options, optimizer_class, ratio, **arguments):
    names = {"layer.lora_A.weight": (2, 4), "layer.lora_B.weight": (3, 2), "head.weight": (2, 3), "head.bias": (2,)}

    def make(parameters):
        model = peft.get_peft_model(Adapted(), peft.LoraConfig(r=2, target_modules=["layer"], modules_to_save=["head"]))
        for name, parameter in parameters.items():
            path = re.sub(r"(lora_[AB])", r"\1.default", name).replace("head", "head.modules_to_save.default")
            *module, last = f"base_model.model.{path}".split(".")
            setattr(model.get_submodule(".".join(module)), last, parameter)
        optimizer = peft.optimizers.create_loraplus_optimizer(
            model, optimizer_class, lr=0.1, loraplus_lr_ratio=ratio, **arguments
        )
        for group in optimizer.param_groups:
            group["lr_scale"] = group["lr"] / 0.1
        return optimizer

    return recorded(options, make, names)


def unfrozen(options, thaws):
    """SGD; the learning rate of a parameter is 0 until the step after `thaws`."""
    names = {"embed.weight": (3, 2), "layer.0.weight": (2, 2), "layer.1.weight": (2, 2), "head.weight": (2, 2)}

    def make(parameters):
        by_name = [{"params": [p], "thaws": thaws[name]} for name, p in parameters.items()]
        optimizer = torch.optim.SGD(by_name, lr=0.1)
        steps = iter(range(STEPS))

        def rates(optimizer, *_):
            step = next(steps)
            for group in optimizer.param_groups:
                group["lr"] = group["lr"] if step + 1 > group["thaws"] else 0.0

        optimizer.register_step_pre_hook(rates)
        return optimizer

    return recorded(options, make, names)


def regression(kind, l2, count=12, size=5):
    generator = numpy.random.default_rng(7)
    features = numpy.round(generator.normal(size=(count, size)), 3)
    targets = numpy.sign(features @ generator.normal(size=size) + generator.normal(size=count))
    problem = {"kind": kind, "features": features.tolist(), "targets": targets.tolist(), "l2": l2}
    x, y = torch.tensor(features), torch.tensor(targets)

    def loss(w):
        x_, y_ = x.to(w.dtype), y.to(w.dtype)
        fit = torch.nn.functional.softplus(-y_ * (x_ @ w)) if kind == "logistic" else (x_ @ w - y_) ** 2 / 2
        return fit.mean() + l2 / 2 * (w**2).sum()

    return problem, loss, features, targets


def on_problem(options, problem, steps_of, rate=1.0, size=5):
    """Steps on a regression problem. `steps_of` yields the weight after each step, starting from a tensor."""
    start = torch.linspace(-0.5, 0.5, size, dtype=torch.float32)
    weights = [[float(x) for x in w] for w, _ in zip(steps_of(start), range(STEPS))]
    return {
        "options": options,
        "learningRates": [rate] * STEPS,
        "initial": {"weight": {"shape": [size], "values": [float(x) for x in start]}},
        "problem": problem,
        "expected": [{"weight": w} for w in weights],
    }


def lbfgs(options, **arguments):
    problem, loss, *_ = regression("logistic", 0.1)

    def steps(start):
        w = torch.nn.Parameter(start.clone())
        optimizer = torch.optim.LBFGS([w], lr=1, max_iter=1, tolerance_grad=0, tolerance_change=0, **arguments)

        def closure():
            optimizer.zero_grad()
            value = loss(w)
            value.backward()
            return value

        while True:
            optimizer.step(closure)
            yield w.detach().clone()

    return on_problem(options, problem, steps)


def newton(options, kind):
    problem, loss, *_ = regression(kind, 0.1)

    def steps(start):
        w = start.double()
        while True:
            gradient = torch.autograd.functional.jacobian(loss, w)
            direction = -torch.linalg.solve(torch.autograd.functional.hessian(loss, w), gradient)
            size = 1.0
            while loss(w + size * direction) > loss(w) + 1e-4 * size * (gradient @ direction) and size > 1e-6:
                size /= 2
            w = w + size * direction
            yield w

    return on_problem(options, problem, steps)


def conjugate_gradient(options):
    problem, _, x, y = regression("least-squares", 0.1)

    def steps(start):
        matrix, right = x.T @ x / len(y) + 0.1 * numpy.eye(x.shape[1]), x.T @ y / len(y)
        found = []
        scipy.sparse.linalg.cg(matrix, right, start.numpy(), rtol=1e-14, maxiter=STEPS, callback=lambda w: found.append(w.copy()))
        while True:
            yield found.pop(0) if len(found) > 1 else found[0]

    return on_problem(options, problem, steps)


def sam(options, **arguments):
    problem, loss, *_ = regression("logistic", 0.1)

    def steps(start):
        w = torch.nn.Parameter(start.clone())
        optimizer = pytorch_optimizer.SAM([w], torch.optim.SGD, lr=0.5, **arguments)

        def closure():
            loss(w).backward()

        while True:
            optimizer.zero_grad()
            closure()
            optimizer.step(closure)
            yield w.detach().clone()

    return on_problem(options, problem, steps, rate=0.5)


def clipped(options, clip):
    return recorded(options, sgd, before=lambda parameters: clip(list(parameters.values())))


def of(package, what):
    return f"{package}.{what} {version(package.split('.')[0])}"


GOLDEN = {
    "sgd": lambda: (
        of("torch", "optim.SGD"),
        None,
        [
            by_torch(torch.optim.SGD, {}),
            by_torch(torch.optim.SGD, {"momentum": 0.9}, momentum=0.9),
            by_torch(torch.optim.SGD, {"momentum": 0.8, "nesterov": True}, momentum=0.8, nesterov=True),
            by_torch(torch.optim.SGD, {"momentum": 0.9, "weightDecay": 0.1}, 0.1, momentum=0.9),
        ],
    ),
    "adamw": lambda: (
        of("torch", "optim.AdamW"),
        None,
        [
            by_torch(torch.optim.AdamW, {}, 0.01),
            by_torch(torch.optim.AdamW, {"weightDecay": 0.0}),
            by_torch(
                torch.optim.AdamW,
                {"beta1": 0.8, "beta2": 0.95, "epsilon": 1e-6, "weightDecay": 0.1},
                0.1,
                betas=(0.8, 0.95),
                eps=1e-6,
            ),
            by_torch(torch.optim.AdamW, {"amsgrad": True, "beta2": 0.5}, 0.01, amsgrad=True, betas=(0.9, 0.5)),
        ],
    ),
    "adam": lambda: (
        of("torch", "optim.Adam"),
        None,
        [
            by_torch(torch.optim.Adam, {}),
            by_torch(torch.optim.Adam, {"l2": 0.1, "beta1": 0.8}, 0.1, betas=(0.8, 0.999)),
            by_torch(torch.optim.Adam, {"amsgrad": True, "beta2": 0.5}, amsgrad=True, betas=(0.9, 0.5)),
        ],
    ),
    "adagrad": lambda: (
        of("torch", "optim.Adagrad"),
        None,
        [
            by_torch(torch.optim.Adagrad, {}),
            by_torch(
                torch.optim.Adagrad, {"initialSum": 0.5, "epsilon": 1e-3}, initial_accumulator_value=0.5, eps=1e-3
            ),
        ],
    ),
    "adadelta": lambda: (
        of("torch", "optim.Adadelta"),
        None,
        [
            by_torch(torch.optim.Adadelta, {}, rate=1.0),
            by_torch(torch.optim.Adadelta, {"decay": 0.7, "epsilon": 1e-3}, rate=1.0, rho=0.7, eps=1e-3),
        ],
    ),
    "rmsprop": lambda: (
        of("torch", "optim.RMSprop"),
        None,
        [
            by_torch(torch.optim.RMSprop, {}),
            by_torch(torch.optim.RMSprop, {"decay": 0.9, "epsilon": 1e-6}, alpha=0.9, eps=1e-6),
            by_torch(torch.optim.RMSprop, {"centered": True, "decay": 0.9}, centered=True, alpha=0.9),
            by_torch(
                torch.optim.RMSprop, {"centered": True, "momentum": 0.9}, centered=True, momentum=0.9
            ),
        ],
    ),
    "nadam": lambda: (
        of("torch", "optim.NAdam"),
        None,
        [
            by_torch(torch.optim.NAdam, {}),
            by_torch(
                torch.optim.NAdam,
                {"weightDecay": 0.1, "beta1": 0.8, "momentumDecay": 0.1},
                0.1,
                betas=(0.8, 0.999),
                momentum_decay=0.1,
                decoupled_weight_decay=True,
            ),
        ],
    ),
    "radam": lambda: (
        of("torch", "optim.RAdam"),
        None,
        [
            by_torch(torch.optim.RAdam, {}),
            by_torch(
                torch.optim.RAdam,
                {"weightDecay": 0.1, "beta1": 0.8, "beta2": 0.9},
                0.1,
                betas=(0.8, 0.9),
                decoupled_weight_decay=True,
            ),
        ],
    ),
    "adamax": lambda: (
        of("torch", "optim.Adamax"),
        None,
        [
            by_torch(torch.optim.Adamax, {}),
            by_torch(torch.optim.Adamax, {"beta1": 0.8, "beta2": 0.7, "epsilon": 1e-3}, betas=(0.8, 0.7), eps=1e-3),
        ],
    ),
    "lion": lambda: (
        of("lion_pytorch", "Lion"),
        None,
        [
            by_torch(Lion, {}),
            by_torch(Lion, {"beta1": 0.8, "beta2": 0.95, "weightDecay": 0.1}, 0.1, betas=(0.8, 0.95)),
        ],
    ),
    "lamb": lambda: (
        of("timm", "optim.Lamb"),
        None,
        [
            by_torch(timm.optim.Lamb, {}, 0.01, max_grad_norm=None, eps=1e-6),
            by_torch(
                timm.optim.Lamb, {"weightDecay": 0.0}, 0.0, {"always_adapt": True}, max_grad_norm=None, eps=1e-6
            ),
        ],
    ),
    "lars": lambda: (
        of("pytorch_optimizer", "LARS"),
        None,
        [
            by_torch(pytorch_optimizer.LARS, {}),
            by_torch(
                pytorch_optimizer.LARS,
                {"momentum": 0.5, "trustCoefficient": 0.2, "weightDecay": 0.1},
                0.1,
                momentum=0.5,
                trust_coefficient=0.2,
            ),
        ],
    ),
    "adafactor": lambda: (
        of("transformers", "Adafactor"),
        None,
        [
            by_torch(Adafactor, {}, relative_step=False, scale_parameter=True),
            by_torch(
                Adafactor,
                {"scaleByParameter": False, "clipThreshold": 0.5, "decayExponent": 0.5, "weightDecay": 0.1},
                0.1,
                relative_step=False,
                scale_parameter=False,
                clip_threshold=0.5,
                decay_rate=-0.5,
            ),
        ],
    ),
    "muon": lambda: (
        of("torch", "optim.Muon") + " in float32, with torch.optim.AdamW",
        None,
        [
            recorded({}, lambda p: MuonWithAdamW(p, "match_rms_adamw"), SIZES),
            recorded(
                {"scale": "original", "momentum": 0.8, "iterations": 3},
                lambda p: MuonWithAdamW(p, "original", momentum=0.8, ns_steps=3),
                SIZES,
            ),
        ],
    ),
    "sophia": lambda: (
        of("pytorch_optimizer", "SophiaH"),
        None,
        [
            recorded({}, lambda p: SophiaOnSumOfSquares(p, 0.1, 0.01, 1e-12)),
            recorded(
                {"beta1": 0.8, "beta2": 0.7, "gamma": 1, "epsilon": 1e-3, "weightDecay": 0},
                lambda p: SophiaOnSumOfSquares(p, 0.0, 1.0, 1e-3, betas=(0.8, 0.7)),
            ),
        ],
    ),
    "schedule-free-adamw": lambda: (
        of("schedulefree", "AdamWScheduleFree"),
        None,
        [
            schedule_free({}, 0.0),
            schedule_free({"beta1": 0.8, "beta2": 0.9, "weightDecay": 0.1}, 0.1, betas=(0.8, 0.9)),
        ],
    ),
    "adamw-8bit": lambda: (
        of("torchao", "optim.AdamW8bit"),
        None,
        [adamw_8bit({"minimumSize": 64, "blockSize": 64, "weightDecay": 0.1}, 0.1, 64)],
    ),
    "sam": lambda: (
        of("pytorch_optimizer", "SAM"),
        "before",
        [sam({}, rho=0.05), sam({"radius": 1, "adaptive": True}, rho=1.0, adaptive=True)],
    ),
    "lbfgs": lambda: (
        of("torch", "optim.LBFGS"),
        None,
        [lbfgs({}, history_size=10), lbfgs({"history": 2}, history_size=2)],
    ),
    "conjugate-gradient": lambda: (of("scipy", "sparse.linalg.cg") + ", float64", None, [conjugate_gradient({})]),
    "newton": lambda: (
        of("torch", "autograd.functional.hessian") + " and torch.linalg.solve, float64",
        None,
        [newton({}, "logistic"), newton({}, "least-squares")],
    ),
    "clip-by-value": lambda: (
        of("torch", "nn.utils.clip_grad_value_"),
        "before",
        [clipped({"maximum": 0.5}, lambda p: torch.nn.utils.clip_grad_value_(p, 0.5))],
    ),
    "clip-by-norm": lambda: (
        of("torch", "nn.utils.clip_grad_norm_"),
        "before",
        [
            clipped({}, lambda p: torch.nn.utils.clip_grad_norm_(p, 1.0)),
            clipped(
                {"maximum": 2, "each": "tensor"}, lambda ps: [torch.nn.utils.clip_grad_norm_([p], 2.0) for p in ps]
            ),
        ],
    ),
    "adaptive-gradient-clipping": lambda: (
        of("timm", "utils.agc.adaptive_clip_grad"),
        "before",
        [
            clipped({}, adaptive_clip_grad),
            clipped({"fraction": 0.8, "epsilon": 1}, lambda p: adaptive_clip_grad(p, 0.8, 1.0)),
        ],
    ),
    "gradient-centralization": lambda: (
        of("pytorch_optimizer", "centralize_gradient"),
        "before",
        [clipped({}, lambda ps: [centralize_gradient(p.grad) for p in ps])],
    ),
    "lookahead": lambda: (
        of("pytorch_optimizer", "Lookahead"),
        "after",
        [
            recorded({}, lambda p: pytorch_optimizer.Lookahead(sgd(p), k=5, alpha=0.5)),
            recorded({"interval": 3, "rate": 0.8}, lambda p: pytorch_optimizer.Lookahead(sgd(p), k=3, alpha=0.8)),
        ],
    ),
    "decoupled-weight-decay": lambda: (
        of("pytorch_optimizer", "SGDW"),
        "after",
        [
            recorded(options, lambda p, d=decay: pytorch_optimizer.SGDW(groups(p, d), lr=0.1, foreach=False))
            for options, decay in [({}, 0.01), ({"weightDecay": 0.5}, 0.5), ({"weightDecay": 0.0}, 0.0)]
        ],
    ),
    "exponential-moving-average": lambda: (
        of("torch", "optim.swa_utils.AveragedModel") + " with get_ema_multi_avg_fn",
        "after",
        [averaged({"decay": decay}, get_ema_multi_avg_fn(decay)) for decay in (0.9, 0.999)],
    ),
    "stochastic-weight-averaging": lambda: (
        of("torch", "optim.swa_utils.AveragedModel"),
        "after",
        [
            averaged({"start": 0}, None),
            averaged({"start": 0.004, "interval": 3}, None, lambda step: (step - 4) % 3 == 0, 4),
        ],
    ),
    "layer-wise-learning-rate-decay": lambda: (
        of("timm", "optim.param_groups_layer_decay"),
        "after",
        [layers({"decay": 0.5}, 0.5), layers({}, 0.9)],
    ),
    "lora-plus": lambda: (
        of("peft", "optimizers.create_loraplus_optimizer") + " with torch.optim.SGD",
        "after",
        [lora_plus({}, torch.optim.SGD, 16), lora_plus({"ratio": 2}, torch.optim.SGD, 2)],
    ),
    "gradual-unfreezing": lambda: (
        of("torch", "optim.SGD with a learning rate per parameter"),
        "after",
        [
            unfrozen({"everySteps": 3}, {"head.weight": 0, "layer.1.weight": 0, "layer.0.weight": 3, "embed.weight": 6}),
            unfrozen(
                {"over": 0.0099, "initialLayers": 0},
                {"head.weight": 0, "layer.1.weight": 3, "layer.0.weight": 6, "embed.weight": 9},
            ),
        ],
    ),
}
LAYERED = ("layer-wise-learning-rate-decay", "gradual-unfreezing")


def adamw_lora_plus():
    case = lora_plus({"ratio": 16, "weightDecay": 0.1}, torch.optim.AdamW, 16, loraplus_weight_decay=0.1)
    source = of("peft", "optimizers.create_loraplus_optimizer") + " with torch.optim.AdamW"
    path = ROOT / "plugins/optimizer-lora-plus/golden/peft-lora-plus-adamw.json"
    path.write_text(json.dumps({"source": source, "cases": [case]}))


def logistic_minimum():
    """Minimum of the logistic regression of the contract suite, packages/testkit/src/optimizer-steps.ts."""
    signed = numpy.array(
        [[0.5, -1.2, 1], [1.5, 0.3, 1], [0.7, -0.8, -1], [-0.2, -1.9, -1], [-1.4, -0.6, 1]]
        + [[2.1, -0.4, 1], [0.3, 1.7, -1], [-0.9, -1.1, -1], [1.8, -0.1, -1], [1.2, 0.7, 1]]
    )
    classes = signed[:, 2]
    model = LogisticRegression(C=1 / (0.05 * len(classes)), fit_intercept=False, tol=1e-12, max_iter=10000)
    weights = model.fit(signed * classes[:, None], classes).coef_[0]
    return numpy.log1p(numpy.exp(-signed @ weights)).mean() + 0.025 * weights @ weights


if __name__ == "__main__":
    for name, make in GOLDEN.items():
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        source, link, cases = make()
        folder = ROOT / f"plugins/optimizer-{name}/golden"
        folder.mkdir(parents=True, exist_ok=True)
        prefixes = {"layers": ["embed.", "layer.0.", "layer.1."]} if name in LAYERED else {}
        golden = {"source": source, **({} if link is None else {"link": link}), **prefixes, "cases": cases}
        (folder / f"{source.split('.')[0]}-{name}.json").write_text(json.dumps(golden))
        print(name, source)
        if name == "lora-plus":
            adamw_lora_plus()
    print("minimum of the logistic regression:", logistic_minimum())
