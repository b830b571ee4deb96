"""Learning rate of each update under the schedules of transformers and PyTorch, with a base rate of 1.

Needs torch and transformers. Writes plugins/scheduler-*/golden/*.json.
"""
import json
import math
from pathlib import Path
from types import SimpleNamespace

import torch
import transformers
from transformers import (
    TrainingArguments,
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_cosine_with_hard_restarts_schedule_with_warmup,
    get_cosine_with_min_lr_schedule_with_warmup,
    get_inverse_sqrt_schedule,
    get_linear_schedule_with_warmup,
    get_polynomial_decay_schedule_with_warmup,
    get_wsd_schedule,
)

ROOT = Path(__file__).resolve().parents[2]
LENGTHS = [(0, 1), (0, 10), (1, 1), (1, 5), (4, 20), (10, 10), (30, 12), (100, 300)]
SHARES = [(0.1, 30), (0.07, 100), (0.25, 7), (0.999, 3)]


def constant(optimizer, warmup, steps, floor):
    return get_constant_schedule_with_warmup(optimizer, warmup)


def linear(optimizer, warmup, steps, floor):
    return get_linear_schedule_with_warmup(optimizer, warmup, steps)


def cosine(optimizer, warmup, steps, floor):
    if floor:
        return get_cosine_with_min_lr_schedule_with_warmup(optimizer, warmup, steps, min_lr_rate=floor)
    return get_cosine_schedule_with_warmup(optimizer, warmup, steps)


def polynomial(power):
    return lambda optimizer, warmup, steps, floor: get_polynomial_decay_schedule_with_warmup(
        optimizer, warmup, steps, lr_end=floor, power=power
    )


def inverse_square_root(timescale):
    return lambda optimizer, warmup, steps, floor: get_inverse_sqrt_schedule(optimizer, warmup, timescale)


def rates(make, warmup, steps, floor):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = make(optimizer, warmup, steps, floor)
    used = []
    for _ in range(steps):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return used


def cases(make, floors, shares, also={}):
    for floor in floors:
        given = also | ({"floor": floor} if floor else {})
        for warmup, steps in LENGTHS:
            if "power" in also and warmup >= steps:
                continue  # transformers divides by the number of remaining steps, which is zero
            options = given | ({"warmupSteps": warmup} if warmup else {})
            yield {"options": options, "steps": steps, "expected": rates(make, warmup, steps, floor)}
        for share, steps in shares:
            warmup = TrainingArguments.get_warmup_steps(SimpleNamespace(warmup_steps=share), steps)
            if "power" in also and warmup >= steps:
                continue
            yield {
                "options": given | {"warmupRatio": share},
                "steps": steps,
                "expected": rates(make, warmup, steps, floor),
            }


def write(name, found):
    folder = ROOT / f"plugins/scheduler-{name}/golden"
    folder.mkdir(parents=True, exist_ok=True)
    golden = {"source": f"transformers {transformers.__version__}", "cases": found}
    (folder / f"transformers-{name}.json").write_text(json.dumps(golden))


write("constant", list(cases(constant, [0.0], [])))
write("linear", list(cases(linear, [0.0], SHARES)))
write("cosine", list(cases(cosine, [0.0, 0.1, 1.0], SHARES)))
write(
    "polynomial",
    [
        *cases(polynomial(2.0), [0.0, 0.1], SHARES, {"power": 2}),
        *cases(polynomial(0.5), [0.0], SHARES, {"power": 0.5}),
        *cases(polynomial(1.0), [0.25], [], {"power": 1}),
    ],
)
write(
    "inverse-square-root",
    [*cases(inverse_square_root(None), [0.0], []), *cases(inverse_square_root(7), [0.0], [], {"timescale": 7})],
)


def torch_rates(make, steps):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = make(optimizer)
    used = []
    for _ in range(steps):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(used) < steps:
            schedule.step()
    return used


def torch_cases(pairs):
    return [{"options": options, "steps": steps, "expected": torch_rates(make, steps)} for options, steps, make in pairs]


def write_torch(name, pairs):
    folder = ROOT / f"plugins/scheduler-{name}/golden"
    folder.mkdir(parents=True, exist_ok=True)
    golden = {"source": f"torch {torch.__version__}", "cases": torch_cases(pairs)}
    (folder / f"torch-{name}.json").write_text(json.dumps(golden))


schedules = torch.optim.lr_scheduler
write_torch(
    "step",
    [
        ({"every": 4}, 20, lambda o: schedules.StepLR(o, 4)),
        ({"every": 7, "gamma": 0.5}, 30, lambda o: schedules.StepLR(o, 7, gamma=0.5)),
        ({}, 30, lambda o: schedules.StepLR(o, 10)),
        ({"milestones": [3, 11, 12], "gamma": 0.3}, 20, lambda o: schedules.MultiStepLR(o, [3, 11, 12], gamma=0.3)),
        ({"milestones": [40]}, 10, lambda o: schedules.MultiStepLR(o, [40])),
    ],
)
write_torch(
    "exponential",
    [
        ({"gamma": 0.9, "every": 1}, 30, lambda o: schedules.ExponentialLR(o, 0.9)),
        ({"gamma": 0.5, "every": 4}, 30, lambda o: schedules.ExponentialLR(o, 0.5**0.25)),
        ({}, 20, lambda o: schedules.ExponentialLR(o, 0.1 ** (1 / 20))),
    ],
)


def one_cycle(steps, rise=0.3, div=25.0, final=1e4, curve="cos"):
    def make(optimizer):
        schedule = schedules.OneCycleLR(
            optimizer, 1.0, steps, pct_start=rise, div_factor=div, final_div_factor=final, anneal_strategy=curve, cycle_momentum=False
        )
        return schedule

    return make


write_torch(
    "one-cycle",
    [
        ({}, 10, one_cycle(10)),
        ({}, 100, one_cycle(100)),
        ({"rise": 0.5, "curve": "linear"}, 21, one_cycle(21, 0.5, curve="linear")),
        ({"rise": 0.25, "start": 0.1, "end": 0.01}, 50, one_cycle(50, 0.25, 10.0, 10.0)),
        ({"rise": 0.37, "start": 0.5, "end": 0.05, "curve": "linear"}, 13, one_cycle(13, 0.37, 2.0, 10.0, "linear")),
    ],
)


def restarts(cycles):
    return lambda optimizer, warmup, steps, floor: get_cosine_with_hard_restarts_schedule_with_warmup(
        optimizer, warmup, steps, num_cycles=cycles
    )


def warm_restarts(first, growth, floor):
    return lambda o: schedules.CosineAnnealingWarmRestarts(o, first, T_mult=growth, eta_min=floor)


write(
    "cosine-restarts",
    [
        *cases(restarts(3), [0.0], SHARES),
        *cases(restarts(5), [0.0], [], {"cycles": 5}),
        *torch_cases(
            [
                ({"cycles": 3, "growth": 2}, 28, warm_restarts(4, 2, 0)),
                ({"cycles": 3, "growth": 3, "floor": 0.1}, 26, warm_restarts(2, 3, 0.1)),
                ({"cycles": 4, "growth": 1, "floor": 0.25}, 20, warm_restarts(5, 1, 0.25)),
            ]
        ),
    ],
)


def stable_decay(falling, curve):
    def make(optimizer, warmup, steps, floor):
        after = max(steps - warmup, 0)
        decay = min(after, falling(after))
        return get_wsd_schedule(
            optimizer, warmup, decay, num_stable_steps=after - decay, decay_type=curve, min_lr_ratio=floor
        )

    return make


def without_warmup(found):
    return [case for case in found if "warmupSteps" not in case["options"]]


write(
    "warmup-stable-decay",
    [
        *cases(stable_decay(lambda after: math.ceil(0.1 * after), "1-sqrt"), [0.0], SHARES),
        *cases(stable_decay(lambda _: 5, "linear"), [0.0], [], {"decay": "linear", "decaySteps": 5}),
        *cases(stable_decay(lambda _: 7, "cosine"), [0.0], [], {"decay": "cosine", "decaySteps": 7}),
        # With a floor, transformers warms up from the floor, not from 0.
        *without_warmup(
            cases(stable_decay(lambda after: math.ceil(0.4 * after), "linear"), [0.2], [], {"decay": "linear", "decayRatio": 0.4})
        ),
    ],
)


def plateau(options, values, mode):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = schedules.ReduceLROnPlateau(
        optimizer,
        mode,
        factor=options.get("factor", 0.1),
        patience=options.get("patience", 2),
        threshold=options.get("minimumImprovement", 0),
        threshold_mode="abs",
        cooldown=options.get("cooldown", 0),
        min_lr=options.get("floor", 0),
        eps=0,
    )
    used = []
    for value in values:
        schedule.step(value)
        used.append(optimizer.param_groups[0]["lr"])
    return {"options": options, "values": values, "expected": used}


VALUES = [1, 0.8, 0.81, 0.79, 0.795, 0.793, 0.792, 0.7, 0.71, 0.72, 0.73, 0.7, 0.7, 0.7, 0.69, 0.695, 0.7, 0.7, 0.7, 0.7, 0.5]
write_plateau = ROOT / "plugins/callback-reduce-on-plateau/golden"
write_plateau.mkdir(parents=True, exist_ok=True)
(write_plateau / "torch-reduce-on-plateau.json").write_text(
    json.dumps(
        {
            "source": f"torch {torch.__version__}",
            "cases": [
                plateau({"metric": "loss"}, VALUES, "min"),
                plateau({"metric": "loss", "patience": 0, "factor": 0.5, "floor": 0.01}, VALUES, "min"),
                plateau({"metric": "loss", "patience": 1, "factor": 0.5, "cooldown": 3}, VALUES, "min"),
                plateau({"metric": "loss", "patience": 1, "minimumImprovement": 0.05}, VALUES, "min"),
                plateau({"metric": "accuracy", "patience": 2, "cooldown": 1}, [1 - value for value in VALUES], "max"),
            ],
        }
    )
)
