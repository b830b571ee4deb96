// This package builds without them, and their exports are unused: importing one registers its backend.
declare module '@tensorflow/tfjs-node'
declare module '@tensorflow/tfjs-node-gpu'
