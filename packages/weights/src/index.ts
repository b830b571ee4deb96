export { configFromOptions, optionsFromConfig } from './checkpoint-config.js'
export {
  type FloatStorage,
  type Safetensors,
  type TensorSource,
  decodeSafetensors,
  encodeSafetensors,
  streamSafetensors,
} from './safetensors.js'
export { shardWeights } from './shard-weights.js'
export type { StoredTensor, WeightsReader } from './weights-reader.js'
