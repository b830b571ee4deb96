"""One peer: greedy generation with transformers, with the protocol of peer-attune-writing.mjs."""
import json
import os
import resource
import sys
import time

import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

given = json.loads(sys.argv[1])
workload = given["workload"]
shape = {name: value for name, value in workload["model"].items() if name not in ("plugin", "model_type")}
torch.set_num_threads(given["threads"])
config = AutoConfig.for_model(workload["model"]["model_type"], **shape)
model = AutoModelForCausalLM.from_config(config)
missing, unexpected = model.load_state_dict(load_file(given["weights"]), strict=False)
if [name for name in missing if name != "lm_head.weight"] or unexpected:
    sys.exit(f"weights do not match the model: {missing} {unexpected}")
model.tie_weights()
model.eval()
PROMPT, room = given["prompt"], workload["length"]

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # output of libraries goes to standard error


def say(value):
    print(json.dumps(value), file=answers, flush=True)


say({"ready": f"PyTorch {torch.__version__}, transformers {transformers.__version__}, {torch.get_num_threads()} threads"})
for line in sys.stdin:
    line = line.strip()
    if line == "rate":
        say({"rate": None})
    elif line == "end":
        say({"peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})
        break
    else:
        rows = [[(7919 * j + 104729 * (int(line) + row)) % config.vocab_size for j in range(PROMPT)] for row in range(workload["batch"])]
        ids = torch.tensor(rows)
        begun = time.perf_counter()
        written = model.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=room, min_new_tokens=room, pad_token_id=0
        )[:, PROMPT:]
        milliseconds = 1000 * (time.perf_counter() - begun)
        total = 0
        for token in written.flatten().tolist():
            total = (31 * total + token) % 1000003
        say({"milliseconds": milliseconds, "value": total})
