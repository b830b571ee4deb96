/** A folder of files: on disk in Node.js, or in the origin private file system of a browser. */
export interface Files {
  /** Returns a file's content. @throws AttuneError `FILE_NOT_FOUND`, `FILE_NOT_READABLE` */
  read(name: string): Promise<Uint8Array>
  /** Replaces a file atomically: readers see either the old or the new content. @throws AttuneError `CANNOT_WRITE` */
  write(name: string, content: Uint8Array | string): Promise<void>
  /** Returns the names of the files, sorted. */
  list(): Promise<readonly string[]>
}
