"""Learning rate of each update under the schedules of transformers, with a base rate of 1.

Needs torch and transformers. Writes plugins/scheduler-*/golden/transformers-*.json.
"""
import json
from pathlib import Path
from types import SimpleNamespace

import torch
import transformers
from transformers import (
    TrainingArguments,
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_cosine_with_min_lr_schedule_with_warmup,
    get_inverse_sqrt_schedule,
    get_linear_schedule_with_warmup,
    get_polynomial_decay_schedule_with_warmup,
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
