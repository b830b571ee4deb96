/** Small models that train from scratch on two CPU cores, and tokenizers, as configurations name them. */

const SHAPE = { hiddenSize: 128, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 512 }
export const BERT = { name: 'bert', options: { ...SHAPE, maxPositionEmbeddings: 128, initializerRange: 0.05 } }
export const GPT2 = { name: 'gpt2', options: { nEmbd: 128, nLayer: 2, nHead: 2, nPositions: 128 } }
export const XLNET = { name: 'xlnet', options: { dModel: 128, nLayer: 2, nHead: 2, dInner: 512, maximumLength: 128 } }
const BART_SHAPE = {
  dModel: 128,
  encoderLayers: 2,
  encoderAttentionHeads: 2,
  encoderFfnDim: 512,
  decoderLayers: 2,
  decoderAttentionHeads: 2,
  decoderFfnDim: 512,
  maxPositionEmbeddings: 128,
}
export const BART = { name: 'bart', options: BART_SHAPE }
export const ELECTRA = { name: 'electra', options: { ...SHAPE, embeddingSize: 128, maxPositionEmbeddings: 128 } }
export const WORDPIECE = { name: 'wordpiece', options: {} }
export const BPE = { name: 'bpe', options: {} }
