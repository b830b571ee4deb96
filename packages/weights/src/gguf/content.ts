import type { HostArray } from '@attune/core'
import type { GgufMetadata } from './metadata.js'
import type { GgufTensor } from './tensor-infos.js'

/** The parts of a GGUF file that determine its architecture. */
export interface Content {
  readonly where: string
  readonly metadata: GgufMetadata
  readonly tensors: ReadonlyMap<string, GgufTensor>
  /** Reads a tensor by its GGUF name. */
  read(name: string): HostArray
  /** Throws `BAD_GGUF`. */
  readonly reject: (why: string) => never
}
