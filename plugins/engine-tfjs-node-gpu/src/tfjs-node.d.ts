// Neither is needed to build this package, and what they export is not used: importing one registers its backend.
declare module '@tensorflow/tfjs-node'
declare module '@tensorflow/tfjs-node-gpu'
