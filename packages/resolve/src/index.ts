export { type PluginPackage, installedPlugins } from './installed.js'
export { type SearchPlaces, findInstalled, findPlugin, findReader, identify, loadFrom } from './resolve.js'
export { coreVersion } from './version.js'
