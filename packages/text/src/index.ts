export * from './count-words.js'
export * from './train-wordpiece.js'
