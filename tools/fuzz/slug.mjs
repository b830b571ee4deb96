// @ts-check
/** A name as that of a folder: `tokenizer.json, BPE` is `tokenizer-json-bpe`. @param {string} name */
export const slug = (name) =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
