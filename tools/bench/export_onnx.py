"""Exports a decoder with KV cache to ONNX, for the JavaScript peer, which reads no other format.

    python export_onnx.py '{"workload": …, "weights": "model.safetensors"}' FOLDER

Needs optimum-onnx 0.1.0, with transformers 4.57, torch and onnx.
"""
import json
import sys

from optimum.exporters.onnx import onnx_export_from_model
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

given, folder = json.loads(sys.argv[1]), sys.argv[2]
model = given["workload"]["model"]
shape = {name: value for name, value in model.items() if name not in ("plugin", "model_type")}
network = AutoModelForCausalLM.from_config(AutoConfig.for_model(model["model_type"], **shape))
missing, unexpected = network.load_state_dict(load_file(given["weights"]), strict=False)
if [name for name in missing if name != "lm_head.weight"] or unexpected:
    sys.exit(f"weights do not match the model: {missing} {unexpected}")
network.tie_weights()
network.eval()
onnx_export_from_model(network, folder, task="text-generation-with-past", do_validation=False, opset=17)
