"""Prints the logits of the discriminator and of the generator of a saved ELECTRA, as transformers computes them.

Usage: electra_loads.py FOLDER GENERATOR IDS, with the generator's config.json as JSON and IDS a JSON array of token ids. The generator's
parameters are those of the file under `generator.`; it shares the discriminator's embeddings. Needs torch, transformers and safetensors.
"""
import json
import sys

import torch
from safetensors.torch import load_file
from transformers import ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining

folder, config, ids = sys.argv[1:]
discriminator, report = ElectraForPreTraining.from_pretrained(folder, output_loading_info=True)
assert not report["missing_keys"] and not report["mismatched_keys"], report
weights = load_file(f"{folder}/model.safetensors")
own = {name.removeprefix("generator."): tensor for name, tensor in weights.items() if name.startswith("generator.")}
shared = {name: tensor for name, tensor in weights.items() if name.startswith("electra.embeddings.")}
words = shared["electra.embeddings.word_embeddings.weight"]
generator = ElectraForMaskedLM(ElectraConfig(**json.loads(config)))
found = generator.load_state_dict({**shared, "generator_lm_head.weight": words, **own}, strict=False)
missing = [name for name in found.missing_keys if not name.endswith(("position_ids", "token_type_ids"))]
assert missing in ([], ["generator_lm_head.bias"]) and not found.unexpected_keys, found
with torch.no_grad():
    inputs = torch.tensor([json.loads(ids)])
    logits = [model.eval()(input_ids=inputs).logits.flatten().tolist() for model in (discriminator, generator)]
print(json.dumps(logits))
