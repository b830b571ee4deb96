export { floats, integers, textInputs } from './host-array.js'
export { tinyModel } from './tiny-model.js'
export { tinyTokenizer } from './tiny-tokenizer.js'
export { adapterPass } from './adapter-pass.js'
