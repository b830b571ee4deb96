"""Advantages and losses of group relative policy optimization, computed with trl's GRPOTrainer. Everything is float64.

Writes plugins/objective-grpo/golden/grpo.json.
"""
import json
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import torch
from trl import GRPOTrainer
from trl.trainer.utils import nanstd

OUT = Path(__file__).resolve().parents[2] / "plugins" / "objective-grpo" / "golden" / "grpo.json"
GROUP, COMPLETION = 4, 5
torch.manual_seed(5)
REWARDS = [0.5, 1.0, 0.0, 0.25, 2.0, 2.0, 2.0, 2.0, -1.0, 3.0, 0.5, 0.5]
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]])
LOGS = -3 * torch.rand(4, COMPLETION).float().double()
REFERENCE = LOGS + torch.randn(4, COMPLETION).float().double()
OLD = LOGS + 0.5 * torch.randn(4, COMPLETION).float().double()  # the policy of the rollout


def advantages(scale):
    """The lines of `_generate_and_score_completions` that make advantages of rewards, with its nanstd."""
    rewards = torch.tensor(REWARDS, dtype=torch.float64)
    grouped = rewards.view(-1, GROUP)
    means = torch.nanmean(grouped, dim=1).repeat_interleave(GROUP, dim=0)
    if scale == "none":
        return (rewards - means).tolist()
    std = nanstd(grouped, dim=1).repeat_interleave(GROUP, dim=0) if scale == "group" else nanstd(rewards).expand_as(rewards)
    return ((rewards - means) / (std + 1e-4)).tolist()


def case(average, beta, clip=None):
    logs = LOGS.clone().requires_grad_(True)
    own = SimpleNamespace(
        accelerator=SimpleNamespace(gather=lambda x: x, reduce=lambda x, **_: x, num_processes=1), aux_loss_enabled=False, top_entropy_quantile=1.0,
        off_policy_mask_threshold=None, importance_sampling_level="token", beta=beta, epsilon_low=(clip or (0.2, 0.2))[0], epsilon_high=(clip or (0.2, 0.2))[1],
        args=SimpleNamespace(delta=None, use_bias_correction_kl=False), use_vllm=False, _entropy_bonus_enabled=False,
        loss_type={"completions": "grpo", "tokens": "bnpo", "constant": "dr_grpo"}[average],
        model=SimpleNamespace(training=True), current_gradient_accumulation_steps=1, max_completion_length=COMPLETION,
        _metrics=defaultdict(lambda: defaultdict(list)),
        _get_per_token_logps_and_entropies=lambda *_, **__: (logs, torch.zeros_like(logs), None))
    ids = torch.zeros(4, COMPLETION, dtype=torch.long)
    scores = torch.tensor(ADVANTAGES, dtype=torch.float64)
    loss = GRPOTrainer._compute_loss(own, None, {
        "prompt_ids": ids[:, :1], "prompt_mask": ids[:, :1] + 1, "completion_ids": ids, "completion_mask": MASK,
        "advantages": scores, "ref_per_token_logps": REFERENCE, **({"old_per_token_logps": OLD} if clip else {})})
    loss.backward()
    extra = {"epsilonLow": clip[0], "epsilonHigh": clip[1], "updatesPerRollout": 2} if clip else {}
    return {"options": {"average": average, "beta": beta, "maximumNewTokens": COMPLETION, **extra}, "loss": loss.item(),
            "gradient": logs.grad.reshape(-1).tolist()}


ADVANTAGES = advantages("group")[:GROUP]
OUT.parent.mkdir(exist_ok=True)
OUT.write_text(json.dumps({
    "source": f"trl {version('trl')} on torch {torch.__version__}, float64", "groupSize": GROUP, "rewards": REWARDS,
    "advantages": {scale: advantages(scale) for scale in ("group", "batch", "none")},
    "mask": MASK.reshape(-1).tolist(), "logProbs": LOGS.reshape(-1).tolist(), "reference": REFERENCE.reshape(-1).tolist(),
    "old": OLD.reshape(-1).tolist(),
    "shape": [4, COMPLETION],
    "cases": [case(average, beta) for average in ("completions", "tokens", "constant") for beta in (0.0, 0.04, 1.0)]
    + [case(average, beta, clip) for average in ("completions", "tokens", "constant") for beta in (0.0, 0.04) for clip in ((0.2, 0.2), (0.2, 0.28))],
}) + "\n")
print(OUT.stat().st_size, "bytes")
