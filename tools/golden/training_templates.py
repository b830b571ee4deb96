"""Training templates of trl by the public templates that they replace: packages/text/src/chat/training-templates.ts.

The rule is that of trl's get_training_chat_template: a public template is recognized by its exact text, of which the length in UTF-16 units and
the 32-bit FNV-1a hash of these units are kept. Run `npx prettier --write` on the result.
"""
import json
import re
from importlib.metadata import version
from pathlib import Path

import trl.chat_template_utils as utils

OUT = Path("packages/text/src/chat/training-templates.ts")
HEADER = f"""/*
 * The templates in this file are those of trl {version("trl")}, trl/chat_templates/*_training.jinja.
 * Copyright 2020-2026 The HuggingFace Team. All rights reserved.
 * Licensed under the Apache License, Version 2.0: http://www.apache.org/licenses/LICENSE-2.0
 * Written by tools/golden/training_templates.py; changes: none.
 */

"""


def key(text):
    units = text.encode("utf-16-le")
    found = 0x811C9DC5
    for at in range(0, len(units), 2):
        found = (found ^ (units[at] | units[at + 1] << 8)) * 0x01000193 % 2**32
    return f"{len(units) // 2}-{found:08x}"


def pairs():
    """Names of the public and of the training template of each model, as in trl."""
    source = Path(utils.__file__).read_text()
    rule = r"if chat_template == (\w+):\s+return (\w+)|if chat_template in (?:\(|\[|\{)([^)\]}]+)[)\]}]:\s+return (\w+)"
    for one, training, several, of_several in re.findall(rule, source.split("def get_training_chat_template")[1]):
        for public in [one] if one else re.findall(r"\w+", several):
            yield public, training or of_several


if __name__ == "__main__":
    templates = {}
    for public, training in pairs():
        templates.setdefault(getattr(utils, training), []).append(key(getattr(utils, public)))
    rows = [f"  [{json.dumps(keys)}, {json.dumps(text, ensure_ascii=False)}],\n" for text, keys in templates.items()]
    doc = "/** Training templates, each with the keys of the public templates that it replaces: length and FNV-1a hash, in UTF-16 units. */\n"
    OUT.write_text(f"{HEADER}{doc}export const TRAINING_TEMPLATES: readonly (readonly [keys: readonly string[], template: string])[] = [\n{''.join(rows)}]\n")
    print(len(templates), "templates for", sum(map(len, templates.values())), "public ones,", OUT.stat().st_size, "bytes")
