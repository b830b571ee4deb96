export { openWeights, weightsInMemory } from './open-weights.js'
