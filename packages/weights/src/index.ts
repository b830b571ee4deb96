export { configFromOptions, optionsFromConfig } from './checkpoint-config.js'
export { type FloatStorage, type Safetensors, decodeSafetensors, encodeSafetensors } from './safetensors.js'
export { shardWeights } from './shard-weights.js'
export type { StoredTensor, WeightsReader } from './weights-reader.js'
