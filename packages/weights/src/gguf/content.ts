import type { HostArray } from '@attune/core'
import type { GgufMetadata } from './metadata.js'
import type { GgufTensor } from './tensor-infos.js'

/** What there is in a GGUF file to tell its architecture by. */
export interface Content {
  readonly where: string
  readonly metadata: GgufMetadata
  readonly tensors: ReadonlyMap<string, GgufTensor>
  /** The numbers of a tensor, by its own name. */
  read(name: string): HostArray
  /** Refuses the file. */
  readonly refuse: (why: string) => never
}
