"""Decisions of Optuna's MedianPruner for random tables of scores.

Needs optuna and numpy. Writes plugins/pruner-median/golden/optuna.json. Scores are multiples of 1/64, so that medians are exact.
"""

import json
from pathlib import Path

import numpy
import optuna
from optuna.trial import TrialState, create_trial

ROOT = Path(__file__).resolve().parents[2]


def table(generator, steps):
    return (generator.integers(0, 64, size=steps) / 64).tolist()


def main() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    generator = numpy.random.default_rng(22)
    cases = []
    for case in range(120):
        direction = ["maximize", "minimize"][case % 2]
        startup, warmup = int(generator.integers(1, 5)), int(generator.integers(0, 4))
        others = [table(generator, int(generator.integers(1, 7))) for _ in range(int(generator.integers(0, 8)))]
        pruned = [bool(generator.integers(0, 4) == 0) for _ in others]
        study = optuna.create_study(direction=direction)
        for scores, is_pruned in zip(others, pruned):
            state = TrialState.PRUNED if is_pruned else TrialState.COMPLETE
            values = dict(enumerate(scores, start=1))
            study.add_trial(create_trial(state=state, value=scores[-1], intermediate_values=values))
        pruner = optuna.pruners.MedianPruner(n_startup_trials=startup, n_warmup_steps=warmup)
        scores = table(generator, 6)
        decisions = []
        for step in range(1, 7):
            trial = create_trial(state=TrialState.RUNNING, intermediate_values=dict(enumerate(scores[:step], start=1)))
            decisions.append(bool(pruner.prune(study, trial)))
        cases.append(
            {
                "direction": direction,
                "startupTrials": startup,
                "warmupSteps": warmup,
                "others": others,
                "pruned": pruned,
                "scores": scores,
                "decisions": decisions,
            }
        )
    golden = {"source": f"optuna {optuna.__version__}, MedianPruner", "cases": cases}
    (ROOT / "plugins/pruner-median/golden/optuna.json").write_text(json.dumps(golden) + "\n")


main()
