export { type Statistics, diskFault } from './disk-fault.js'
export { type Lock, type LockOwner, takeLock, withLock } from './lock.js'
export { makeFolder } from './make-folder.js'
export { readWholeFile } from './read-file.js'
export { readJsonObject } from './read-json.js'
export { openRegularFile, readRemedy, requireRegularFile } from './regular-file.js'
export {
  type Files,
  digest,
  writeFileAtomically,
  writeFolderAtomically,
  writeLinesAtomically,
} from './write-atomically.js'
export { writeFault } from './write-fault.js'
