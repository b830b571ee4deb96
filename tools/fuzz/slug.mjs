// @ts-check
/** Converts a name to a folder name: `tokenizer.json, BPE` → `tokenizer-json-bpe`. @param {string} name */
export const slug = (name) =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
