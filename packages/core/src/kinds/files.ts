/** A folder of files in any storage: a disk under Node.js, or a browser's origin private file system. */
export interface Files {
  /** Returns a file's content. @throws AttuneError `FILE_NOT_FOUND`, `FILE_NOT_READABLE` */
  read(name: string): Promise<Uint8Array>
  /** Replaces a file as a whole: readers see the old content or the new. @throws AttuneError `CANNOT_WRITE` */
  write(name: string, content: Uint8Array | string): Promise<void>
  /** Returns the names of the files, sorted. */
  list(): Promise<readonly string[]>
}
