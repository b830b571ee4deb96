import { download } from './download.js'

/** A process that downloads a model into a cache. */
const [reference = '', endpoint = '', cache = ''] = process.argv.slice(2)
download(reference, { endpoint, cache, environment: {} }).subscribe()
