export { evaluationText } from './commands/evaluate.js'
export { buildProgram } from './program.js'
export { type ConfigFile, readConfig, withSettings } from './read-config.js'
