export { type OptionsJsonSchema, jsonSchemaOf } from './options-json-schema.js'
export { type PluginPackage, installedPlugins } from './installed.js'
export { type SearchPaths, findInstalled, findPlugin, findReader, identify, loadFrom } from './resolve.js'
export { coreVersion } from './version.js'
